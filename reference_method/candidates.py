"""Stage 1, candidates: DINO features of a photo → a few segments, and the binary tree that merging walks.

Source: "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from reference_method.tree import Part, Tree, joined, taken_apart, tree_of, without_others
from zgbench.errors import UsageError

Criterion = Literal["variance", "ward"]
Joining = Literal["any", "siblings"]
Filter = Literal["bicubic", "lanczos"]
Refine = Callable[[NDArray[np.float32]], NDArray[np.integer[Any]]]
"""Squared distances of features to the segments' means, float32 [rows, columns, k] → segment numbers of a finer map."""
LONGEST = 2.5
"""Long side in short sides of an input that keeps its proportions: the memory of clustering grows with its square."""


@dataclass(frozen=True)
class Candidates:
    """Segments of a photo and how they come together.

    Attributes:
        label_map: int32 [h, w] at the photo's size, values 0 … n − 1; every value occurs.
        tree: of n − 1 merges: row k joins two nodes to node n + k; the nodes 0 … n − 1 are the segments.
    """

    label_map: NDArray[np.int32]
    tree: Tree

    def masks(self) -> NDArray[np.bool_]:
        """Bool [n, h, w]."""
        return self.label_map[None] == np.arange(len(self.tree) + 1)[:, None, None]


class DinoKeys:
    """Key features of a DINO vision transformer's last attention layer, at a stride finer than its patches.

    Args:
        model: a timm VisionTransformer with square patches and a class token first.
        stride: in pixels, 1 … patch size.
        image_size: side of the square input in pixels, to which the photo is squeezed; with ``keep_aspect`` the short
            side, the long one up to ``LONGEST`` times as long.
        resize_filter: of the resampling.
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
        keep_aspect: bool = False,
        resize_filter: Filter = "bicubic",
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
        self.keep_aspect, self.resize_filter = keep_aspect, resize_filter
        self.device, self.dtype = device, dtype
        self._mean, self._deviation = mean, deviation

    @property
    def side(self) -> int:
        """Tokens along the short side of the map: 109 for 224 pixels, patches of 8 and stride 2."""
        return (self.image_size - self.patch) // self.stride + 1

    def resized(self, photo: Image.Image) -> Image.Image:
        """A photo at the input's size, RGB."""
        size = [self.image_size, self.image_size]
        if self.keep_aspect:
            longer = min(max(photo.size) / min(photo.size), LONGEST)
            size[photo.width < photo.height] = int(self.image_size * longer)
        return photo.convert("RGB").resize((size[0], size[1]), Image.Resampling[self.resize_filter.upper()])

    def pixels(self, photo: Image.Image) -> Tensor:
        """Photo → normalised input, float32 [1, 3, h, w]."""
        values = torch.from_numpy(np.asarray(self.resized(photo), dtype=np.float32) / 255).permute(2, 0, 1)[None]
        return (values - torch.tensor(self._mean)[:, None, None]) / torch.tensor(self._deviation)[:, None, None]

    @torch.inference_mode()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Normalised input [1, 3, h, w] → keys, heads side by side, float32 [rows, columns, d]."""
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
    normalise: bool = False,
    joining: Joining = "any",
    nearest: bool = False,
    refine: Refine | None = None,
) -> Candidates:
    """Cluster a map of features into segments of a photo.

    First to ``n`` clusters by ``criterion``: ``variance``, the smallest variance of a union (the paper), or ``ward``,
    the smallest growth of the summed squares (its released code). Then by ``joining``: with ``any`` the two whose mean
    features have the greatest cosine, while that reaches ``cosine``; what is left are the segments, joined by
    ``criterion`` on to one root. With ``siblings`` (its released code) the clusters are joined to one root first, and
    the tree is taken apart from the root down, where the two halves' means have a cosine below ``cosine``; the root
    always is.

    Args:
        keys: float [rows, columns, d].
        size: the photo's height and width in pixels. Each pixel belongs to the token whose patch centre is nearest.
        patch, stride: of the tokens, in pixels of the transformer's input.
        n: ≥ 1.
        cosine: −1 … 1; above 1 nothing is merged.
        normalise: features to length 1 first.
        nearest: give each feature to the segment with the nearest mean in the end, whatever its cluster was.
        refine: gives the finer map of segment numbers in the end, see ``Refine``; it is stretched over the photo.

    Raises:
        UsageError: n < 1, or no such criterion or joining.
    """
    if n < 1 or criterion not in get_args(Criterion) or joining not in get_args(Joining):
        raise UsageError(
            f"candidates: expected n ≥ 1 and criterion variance or ward and joining any or siblings, "
            f"got {n}, {criterion!r} and {joining!r}"
        )
    rows, columns, width = keys.shape
    features = keys.float().cpu().numpy().reshape(-1, width)
    if normalise:
        features = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-30)
    device = None if keys.device.type == "cpu" else keys.device
    owner = _clusters(features, min(n, len(features)), criterion, device).reshape(rows, columns)
    at = _nearest(size[0], rows, patch, stride)[:, None], _nearest(size[1], columns, patch, stride)[None]
    # a photo smaller than the map shows only some of its tokens
    parts = [Part.of(features[owner.ravel() == value], value) for value in np.unique(owner[at])]
    if joining == "any":
        parts = joined(parts, cosine)
        tree = tree_of(parts, criterion)
    else:
        parts, tree = taken_apart(parts, tree_of(parts, criterion), cosine)
    if nearest or refine is not None:
        means = np.stack([part.mean for part in parts])
        distances = (features**2).sum(axis=1)[:, None] - 2 * features @ means.T + (means**2).sum(axis=1)
        distances = distances.astype(np.float32).reshape(rows, columns, -1)
        if refine is not None:
            labels = refine(distances)
            labels = labels[_stretched(size[0], labels.shape[0])[:, None], _stretched(size[1], labels.shape[1])[None]]
        else:
            labels = distances.argmin(axis=-1)[at]
        left, labels = np.unique(labels, return_inverse=True)
        return Candidates(labels.reshape(size).astype(np.int32), without_others(tree, left.tolist()))
    lookup = np.full(int(owner.max()) + 1, -1, dtype=np.int32)
    for number, part in enumerate(parts):
        lookup[list(part.values)] = number
    return Candidates(lookup[owner[at]], tree)


def _clusters(
    features: NDArray[np.float32], n: int, criterion: Criterion, device: torch.device | None
) -> NDArray[np.int64]:
    from reference_method.clustering import combined_variance, in_order

    if criterion == "variance":
        return combined_variance(features if device is None else torch.from_numpy(features).to(device), n)
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


def _stretched(pixels: int, cells: int) -> NDArray[np.int64]:
    """For each pixel of a side of the photo the cell that it lies in: int64 [pixels]."""
    return ((np.arange(pixels) + 0.5) * cells / pixels).astype(np.int64)
