"""Versions of the tables. A store is brought to the newest one when it is opened."""

REVISIONS = ("0001", "0002")
"""Every revision, oldest first."""
