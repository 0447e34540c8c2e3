"""From what methods give, arrays and objects of many libraries, to the segments of an image."""
