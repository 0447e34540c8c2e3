"""Submission and truth in, ``N[s, c]`` out: the one pass over pixels."""
