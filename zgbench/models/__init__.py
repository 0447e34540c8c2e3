"""Pinned models: what each one is by its hash, where it lies, and how it gets here."""

from zgbench.models.catalogue import CATALOGUE, File, Model
from zgbench.models.resolve import Found, find, locate

__all__ = ["CATALOGUE", "File", "Found", "Model", "find", "locate"]
