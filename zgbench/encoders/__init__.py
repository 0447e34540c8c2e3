"""Text and image encoders behind one small interface, with a cache on disk."""

from zgbench.encoders.base import ImageTextEncoder, TextEncoder
from zgbench.encoders.cache import CachedTextEncoder, EmbeddingCache

__all__ = ["CachedTextEncoder", "EmbeddingCache", "ImageTextEncoder", "TextEncoder"]
