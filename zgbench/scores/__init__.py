"""From the counts ``N[s, c]`` to numbers: reassignment, verification, metrics, intervals, results."""
