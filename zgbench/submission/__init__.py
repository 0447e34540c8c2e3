"""Submissions: the contract, reading and checking, writing, converting."""
