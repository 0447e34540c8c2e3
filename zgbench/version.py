"""The version of the package, in this one place; what bumps it: docs/versions.md."""

__version__ = "0.1.0"
