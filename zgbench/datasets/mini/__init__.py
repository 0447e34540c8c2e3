"""``mini``: drawn scenes with exact masks, made from a seed, byte-identical everywhere."""

from zgbench.datasets.mini.classes import CLASSES, MiniClass
from zgbench.datasets.mini.scene import N_VAL, SIZE, Scene, scene

__all__ = ["CLASSES", "N_VAL", "SIZE", "MiniClass", "Scene", "scene"]
