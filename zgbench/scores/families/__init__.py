"""Published families of scores, one a module: their definitions, and what they make of counts or labels."""
