"""Stage 1, candidates: DINO features of a photo → a few segments, and the binary tree that merging walks.

Source: "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from zgbench.errors import UsageError

Criterion = Literal["variance", "ward"]


@dataclass(frozen=True)
class Candidates:
    """Segments of a photo and how they come together.

    Attributes:
        label_map: int32 [h, w] at the photo's size, values 0 … n − 1; every value occurs.
        tree: of n − 1 merges: row k joins two nodes to node n + k; the nodes 0 … n − 1 are the segments.
    """

    label_map: NDArray[np.int32]
    tree: tuple[tuple[int, int], ...]

    def masks(self) -> NDArray[np.bool_]:
        """Bool [n, h, w]."""
        return self.label_map[None] == np.arange(len(self.tree) + 1)[:, None, None]


class DinoKeys:
    """Key features of a DINO vision transformer's last attention layer, at a stride finer than its patches.

    Args:
        model: a timm VisionTransformer with square patches and a class token first.
        stride: in pixels, 1 … patch size.
        image_size: side of the square input in pixels; the photo is squeezed to it.
        mean, deviation: of the input's normalisation, per channel.
        device, dtype: of the computation.

    Raises:
        UsageError: another architecture, or a stride out of range.
    """

    def __init__(
        self,
        model: Any,
        *,
        stride: int = 2,
        image_size: int = 224,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        deviation: tuple[float, ...] = (0.229, 0.224, 0.225),
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        patch = getattr(getattr(model, "patch_embed", None), "patch_size", None)
        if patch is None or patch[0] != patch[1] or getattr(model, "num_prefix_tokens", 0) < 1:
            raise UsageError(
                f"candidates: expected a timm vision transformer with square patches and a class token, got "
                f"{type(model).__name__}; choose one such as vit_small_patch8_224.dino"
            )
        if not 1 <= stride <= patch[0]:
            raise UsageError(f"candidates: expected stride in 1..{patch[0]}, the patch size, got {stride}")
        self.model = model.to(device, dtype).eval()
        self.patch, self.stride, self.image_size = patch[0], stride, image_size
        self.device, self.dtype = device, dtype
        self._mean, self._deviation = mean, deviation

    @property
    def side(self) -> int:
        """Tokens along each side of the map: 109 for 224 pixels, patches of 8 and stride 2."""
        return (self.image_size - self.patch) // self.stride + 1

    def pixels(self, photo: Image.Image) -> Tensor:
        """Photo → normalised input, float32 [1, 3, s, s]."""
        squeezed = photo.convert("RGB").resize((self.image_size, self.image_size), Image.Resampling.BICUBIC)
        values = torch.from_numpy(np.asarray(squeezed, dtype=np.float32) / 255).permute(2, 0, 1)[None]
        return (values - torch.tensor(self._mean)[:, None, None]) / torch.tensor(self._deviation)[:, None, None]

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Normalised input [1, 3, s, s] → keys, heads side by side, float32 [side, side, d]."""
        model = self.model
        projection = model.patch_embed.proj
        x = F.conv2d(pixels.to(self.device, self.dtype), projection.weight, projection.bias, stride=self.stride)
        rows, columns = x.shape[2:]
        x = model.patch_embed.norm(x.flatten(2).transpose(1, 2))
        x = self._with_positions(x, rows, columns)
        x = model.norm_pre(x)
        for block in model.blocks[:-1]:
            x = block(x)
        attention = model.blocks[-1].attn
        width = attention.num_heads * attention.head_dim
        keys = attention.qkv(model.blocks[-1].norm1(x)).unflatten(-1, (3, attention.num_heads, -1))[0, :, 1]
        return attention.k_norm(keys)[model.num_prefix_tokens :].reshape(rows, columns, width).float()

    def _with_positions(self, x: Tensor, rows: int, columns: int) -> Tensor:
        """Patches [1, rows·columns, d] → tokens: class token (and registers) first, position embeddings added."""
        model = self.model
        prefix = torch.cat([token for token in (model.cls_token, model.reg_token) if token is not None], dim=1)
        own = 0 if model.no_embed_class else model.num_prefix_tokens
        first, grid = model.pos_embed[:, :own], model.pos_embed[:, own:]
        grid = grid.unflatten(1, model.patch_embed.grid_size).permute(0, 3, 1, 2)
        if grid.shape[2:] != (rows, columns):
            grid = F.interpolate(grid.float(), (rows, columns), mode="bicubic").to(x.dtype)
        return torch.cat([prefix + first if own else prefix, x + grid.flatten(2).transpose(1, 2)], dim=1)


def segment(
    keys: Tensor,
    size: tuple[int, int],
    *,
    patch: int,
    stride: int,
    n: int = 20,
    cosine: float = 0.9,
    criterion: Criterion = "variance",
) -> Candidates:
    """Cluster a map of features into segments of a photo.

    First to ``n`` clusters by ``criterion``: ``variance``, the smallest variance of a union (the paper), or ``ward``,
    the smallest growth of the summed squares (its released code). Then the two whose mean features have the greatest
    cosine, while that reaches ``cosine``: what is left are the segments. Then by ``criterion`` on to one root.

    Args:
        keys: float [rows, columns, d].
        size: the photo's height and width in pixels. Each pixel belongs to the token whose patch centre is nearest.
        patch, stride: of the tokens, in pixels of the transformer's input.
        n: ≥ 1.
        cosine: −1 … 1; above 1 nothing is merged.

    Raises:
        UsageError: n < 1 or no such criterion.
    """
    if n < 1 or criterion not in ("variance", "ward"):
        raise UsageError(f"candidates: expected n ≥ 1 and criterion variance or ward, got {n} and {criterion!r}")
    rows, columns, width = keys.shape
    features = keys.float().cpu().numpy().reshape(-1, width)
    owner = _clusters(features, min(n, len(features)), criterion).reshape(rows, columns)
    coarse = owner[_nearest(size[0], rows, patch, stride)[:, None], _nearest(size[1], columns, patch, stride)[None]]
    parts = [_Part.of(features[owner.ravel() == value], value) for value in np.unique(coarse)]
    while len(parts) > 1:
        means = np.stack([part.mean / max(float(np.linalg.norm(part.mean)), 1e-30) for part in parts])
        alike = np.triu(means @ means.T, 1) + np.tril(np.full((len(parts),) * 2, -2.0))
        i, j = np.unravel_index(alike.argmax(), alike.shape)
        if alike[i, j] < cosine:
            break
        parts[i] = parts[i].with_(parts.pop(j))
    lookup = np.full(int(owner.max()) + 1, -1, dtype=np.int32)
    for number, part in enumerate(parts):
        lookup[list(part.values)] = number
    return Candidates(lookup[coarse], _tree(parts, criterion))


def _clusters(features: NDArray[np.float32], n: int, criterion: Criterion) -> NDArray[np.int64]:
    from reference_method.clustering import combined_variance, in_order

    if criterion == "variance":
        return combined_variance(features, n)
    if len(features) == 1:
        return np.zeros(1, dtype=np.int64)
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    points = features - features.mean(axis=0)
    squares = np.einsum("nd,nd->n", points, points)
    distances = points @ points.T
    distances *= -2
    distances += squares[:, None]
    distances += squares[None]
    np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
    np.fill_diagonal(distances, 0)
    merges = linkage(squareform(distances, checks=False), "ward")
    return in_order(cut_tree(merges, n_clusters=n)[:, 0]) if n > 1 else np.zeros(len(features), dtype=np.int64)


def _nearest(pixels: int, tokens: int, patch: int, stride: int) -> NDArray[np.int64]:
    """For each pixel of a side of the photo the token whose centre is nearest: int64 [pixels]."""
    span = (tokens - 1) * stride + patch
    at = (np.arange(pixels) + 0.5) * span / pixels
    return np.clip(np.floor((at - patch / 2) / stride + 0.5), 0, tokens - 1).astype(np.int64)


@dataclass(frozen=True)
class _Part:
    """A cluster: the first clusters that it is made of, its size, mean and summed squares about the mean."""

    values: tuple[int, ...]
    size: int
    mean: NDArray[np.float64]
    squares: float

    @classmethod
    def of(cls, features: NDArray[np.float32], value: int) -> _Part:
        mean = features.mean(axis=0, dtype=np.float64)
        return cls((int(value),), len(features), mean, float(((features - mean) ** 2).sum()))

    def with_(self, other: _Part) -> _Part:
        size = self.size + other.size
        gap = self.mean - other.mean
        return _Part(
            self.values + other.values,
            size,
            (self.size * self.mean + other.size * other.mean) / size,
            self.squares + other.squares + self.size * other.size / size * float(gap @ gap),
        )


def _tree(parts: list[_Part], criterion: Criterion) -> tuple[tuple[int, int], ...]:
    nodes = dict(enumerate(parts))
    tree = []
    for new in range(len(parts), 2 * len(parts) - 1):
        best = None
        numbers = sorted(nodes)
        for at, i in enumerate(numbers):
            for j in numbers[at + 1 :]:
                union = nodes[i].with_(nodes[j])
                cost = union.squares / union.size
                if criterion == "ward":
                    cost = union.squares - nodes[i].squares - nodes[j].squares
                if best is None or cost < best[0]:
                    best = cost, i, j, union
        assert best is not None
        _, i, j, union = best
        tree.append((i, j))
        del nodes[i], nodes[j]
        nodes[new] = union
    return tuple(tree)
