"""The CLIP segment encoder: one embedding per segment of an image.

Source: "Zero-guidance Segmentation Using Zero Segment Labels", ICCV 2023, section 3.2. The masked layers themselves
are in `zgbench.encoders.masked_attention`; here are the way in (photo and masks) and the way out (embeddings). Above 300 lines:
the ways in of the three modes share their resizing and their checks.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from zgbench.encoders.masked_attention import (
    Layer,
    Saliency,
    SharedStart,
    area_average,
    masked_layers,
    subtracted_layers,
)
from zgbench.errors import UsageError

Mode = Literal["crop", "masked", "globsub"]
Fill = Literal["mean", "black"]


@dataclass(frozen=True)
class SegmentEncoderConfig:
    """How a segment becomes an embedding.

    Attributes:
        mode: `globsub`, masked attention with global subtraction, the paper's method; `masked`, its ablation
            without the subtraction; `crop`, its baseline: CLIP on the cropped segment.
        saliency: what S compares between masked and unmasked attention: their `outputs` (the paper) or their
            `probabilities` (its released code). `globsub` only.
        sigma: σ of the subtraction's weight exp(−(S+1)²/(2σ²)), > 0. The paper gives none; its released code has 5
            for 2σ². `globsub` only.
        first_masked_layer: 0-based number of the first masked layer; a negative one counts from the end (−4 of 24:
            the layers 21–24). All later layers are masked too. Not used by `crop`.
        crop_fill: of the pixels outside the mask: the model's `mean` colour, 0 after normalisation, or `black` (the
            paper's released code). `crop` only.
        crop_side: short side in pixels of the photo that is cropped (224 in the released code); 0: as it is. `crop`
            only.

    Raises:
        UsageError: for a mode, saliency, σ or crop outside these.
    """

    mode: Mode = "globsub"
    saliency: Saliency = "outputs"
    sigma: float = 2.5**0.5
    first_masked_layer: int = -4
    crop_fill: Fill = "mean"
    crop_side: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (
            ("mode", get_args(Mode)), ("saliency", get_args(Saliency)), ("crop_fill", get_args(Fill)),
        ):  # fmt: skip
            if getattr(self, name) not in allowed:
                raise UsageError(f"segment encoder: expected {name} to be one of {', '.join(allowed)}, "
                                 f"got {getattr(self, name)!r}")  # fmt: skip
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise UsageError(f"segment encoder: expected sigma to be a finite number > 0, got {self.sigma!r}")
        if not 0 <= self.crop_side <= 10_000:
            raise UsageError(f"segment encoder: expected crop_side to be 0 … 10000 pixels, got {self.crop_side!r}")

    def describe(self) -> str:
        """The options that the embeddings depend on, for a signature or a cache key."""
        if self.mode == "crop":
            changed = [f"fill={self.crop_fill}"] if self.crop_fill != "mean" else []
            return ",".join(["crop", *changed, *([f"side={self.crop_side}"] if self.crop_side else [])])
        first = f"first={self.first_masked_layer}"
        if self.mode == "masked":
            return f"masked,{first}"
        return f"globsub,{self.saliency},sigma={self.sigma:.5g},{first}"


class SegmentEncoder:
    """Embeds the segments of an image with the vision transformer of an open_clip model.

    The layers before the first masked one run once per image. Repeated calls give the same bytes; the order of the
    segments and `chunk` change rounding only.

    Args:
        model: an open_clip model whose `visual` is a VisionTransformer that pools its class token. Used as it is
            if it already has this device and dtype, else its vision part is copied.
        config: see `SegmentEncoderConfig`.
        device: of the computation.
        dtype: of the computation: float32, bfloat16 or float16. Masks and S stay in float32.
        chunk: segments at a time, ≥ 1; bounds the memory. None: 2 on a CPU, whose caches hold no more than that, and
            where large temporary arrays cost more than large products save; 32 elsewhere.

    Raises:
        UsageError: an architecture or pooling that has no class token to embed, a layer number out of range, or
            chunk < 1.
    """

    def __init__(
        self,
        model: Any,
        config: SegmentEncoderConfig | None = None,
        *,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        chunk: int | None = None,
    ) -> None:
        self.config = config or SegmentEncoderConfig()
        if chunk is not None and chunk < 1:
            raise UsageError(f"segment encoder: expected chunk to be at least 1, got {chunk}")
        # Through a tensor, as "cuda" stands for a numbered device, and only that compares equal to a weight's.
        self.device = torch.empty(0, device=device).device
        self.dtype = dtype
        self.chunk = chunk or (2 if self.device.type == "cpu" else 32)
        self._visual = _on_device(_checked_visual(model), self.device, dtype)
        layers = [Layer(block) for block in self._visual.transformer.resblocks]
        first = self.config.first_masked_layer
        if not -len(layers) <= first < len(layers) and self.config.mode != "crop":
            raise UsageError(
                f"segment encoder: expected first_masked_layer to be in {-len(layers)}..{len(layers) - 1} for a "
                f"model of {len(layers)} layers, got {first}"
            )
        # A slice from `first` reads negative numbers as the configuration does.
        self._plain, self._masked = (layers, []) if self.config.mode == "crop" else (layers[:first], layers[first:])

    def start(self, image: Image.Image | NDArray[np.uint8]) -> SharedStart | None:
        """What all segments of a photo share, for who calls :meth:`encode` more than once for it.

        Returns:
            None in mode `crop`, whose segments share nothing.

        Raises:
            UsageError: an image of another type.
        """
        if self.config.mode == "crop":
            return None
        with torch.inference_mode():
            return self._start(self._pixels(_to_rgb(image)))

    def encode(
        self, image: Image.Image | NDArray[np.uint8], masks: NDArray[np.bool_], start: SharedStart | None = None
    ) -> NDArray[np.float32]:
        """Embed the segments of a photo.

        The photo is squeezed to the model's square input (bicubic, not cropped), so that the grid of tokens covers
        the whole picture and so does the mask. `crop` takes each segment's bounding box from the photo, paints the
        pixels outside the mask and squeezes that.

        Args:
            image: a PIL image with 8 bits per channel, turned into RGB (transparency is dropped, EXIF orientation
                not applied: masks belong to the pixels as stored), or uint8 [h, w], [h, w, 3] or [h, w, 4].
            masks: bool [n, h, w], one segment each, at the photo's size; they may overlap.
            start: of :meth:`start` for this image; None: it is computed.

        Returns:
            float32 [n, d], each row of unit length.

        Raises:
            UsageError: image or masks of another type or size, or a mask without a pixel (names its index).
        """
        photo = _to_rgb(image)
        if masks.dtype != np.bool_ or masks.ndim != 3 or masks.shape[1:] != (photo.height, photo.width):
            raise UsageError(
                f"segment encoder: expected masks of type bool and shape [n, {photo.height}, {photo.width}] like the "
                f"image's, got {masks.dtype} and {list(masks.shape)}"
            )
        if self.config.mode == "crop":
            embeddings = self._encode_crops(photo, masks)
        else:
            given = torch.from_numpy(np.array(masks, order="C"))
            embeddings = self._embedded(lambda: start or self._start(self._pixels(photo)), given)
        # float32 before the norm: half precision would round the unit length.
        unit: NDArray[np.float32] = F.normalize(embeddings.float(), dim=-1).cpu().numpy()
        return unit

    def encode_tensor(self, pixels: Tensor, masks: Tensor) -> Tensor:
        """Embed the segments of a preprocessed picture, without normalisation.

        Args:
            pixels: float [3, H, W] at the model's input size, normalised by the model's mean and deviation.
            masks: bool [n, h, w], each covering the whole picture, at any resolution.

        Returns:
            [n, d] in the encoder's dtype, on its device.

        Raises:
            UsageError: wrong shapes, a mask without a pixel (names its index), or mode `crop`, which works on the
                photo (use `encode`).
        """
        visual = self._visual
        if self.config.mode == "crop":
            raise UsageError("segment encoder: mode 'crop' needs the photo at full size; use encode")
        if tuple(pixels.shape) != (3, *visual.image_size) or masks.ndim != 3:
            raise UsageError(
                f"segment encoder: expected pixels of shape {[3, *visual.image_size]} and masks [n, h, w], "
                f"got {list(pixels.shape)} and {list(masks.shape)}"
            )
        return self._embedded(lambda: self._start(pixels), masks)

    def _start(self, pixels: Tensor) -> SharedStart:
        return SharedStart(self._masked[0], self._through(self._embed(pixels[None]), self._plain))

    def _embedded(self, start: Callable[[], SharedStart], masks: Tensor) -> Tensor:
        """Unnormalised [n, d] of masks, bool [n, h, w]."""
        empty = (~masks.bool().flatten(1).any(dim=1)).nonzero().flatten().tolist()
        if empty:
            raise _empty_mask(empty[0])
        with torch.inference_mode():
            if len(masks) == 0:
                return self._pool(self._no_tokens())
            grid = [area_average(part.to(self.device), self._visual.grid_size) for part in masks.split(self.chunk)]
            weights = F.pad(torch.cat(grid).flatten(1), (1, 0), value=1.0)  # M, with the global token's 1 prepended
            shared = start()
            # Segments of like size share a chunk, as all of a chunk are padded to its largest.
            order = torch.argsort((weights > 0).sum(dim=1), stable=True)
            outputs = torch.cat([self._through_masked(shared, weights[rows]) for rows in order.split(self.chunk)])
            return self._pool(outputs[order.argsort()])

    def _through_masked(self, start: SharedStart, weights: Tensor) -> Tensor:
        """M of one chunk [n, t] → the global tokens' outputs [n, width]."""
        if self.config.mode == "masked":
            return masked_layers(self._masked, start, weights)
        return subtracted_layers(self._masked, start, weights, saliency=self.config.saliency, sigma=self.config.sigma)

    def _encode_crops(self, photo: Image.Image, masks: NDArray[np.bool_]) -> Tensor:
        """Mode `crop`: unnormalised [n, d]."""
        if self.config.crop_side:
            photo, masks = _smaller(photo, masks, self.config.crop_side)
        array = np.asarray(photo)
        fill = np.round(np.array(self._mean_and_std()[0]) * 255).astype(np.uint8)
        if self.config.crop_fill == "black":
            fill = np.zeros(3, np.uint8)
        with torch.inference_mode():
            outputs = [self._no_tokens()]
            for begin in range(0, len(masks), self.chunk):
                crops = []
                for index, mask in enumerate(masks[begin : begin + self.chunk], start=begin):
                    box = _bounding_box(mask, index)
                    crop = np.where(mask[box][..., None], array[box], fill)
                    crops.append(self._pixels(Image.fromarray(crop)))
                outputs.append(self._through(self._embed(torch.stack(crops)), self._plain)[:, 0])
            return self._pool(torch.cat(outputs))

    def _pixels(self, photo: Image.Image) -> Tensor:
        """An RGB photo of any size → float32 [3, H, W], squeezed to the model's input and normalised."""
        height, width = self._visual.image_size
        resized = np.asarray(photo.resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32) / 255
        mean, std = self._mean_and_std()
        normalised = (resized - np.array(mean, np.float32)) / np.array(std, np.float32)
        return torch.from_numpy(normalised.transpose(2, 0, 1))

    def _mean_and_std(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return tuple(self._visual.image_mean), tuple(self._visual.image_std)

    def _embed(self, pixels: Tensor) -> Tensor:
        """Pixels [n, 3, H, W] → tokens [n, t, width], the global token first."""
        visual = self._visual
        patches = visual.conv1(pixels.to(self.device, self.dtype)).flatten(2).transpose(1, 2)
        token = visual.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        return visual.ln_pre(torch.cat([token, patches], dim=1) + visual.positional_embedding.to(patches.dtype))

    def _through(self, x: Tensor, layers: list[Layer]) -> Tensor:
        for layer in layers:
            x = layer(x)
        return x

    def _no_tokens(self) -> Tensor:
        """The global tokens of no segments: [0, width]."""
        return torch.zeros(0, len(self._visual.class_embedding), device=self.device, dtype=self.dtype)

    def _pool(self, tokens: Tensor) -> Tensor:
        """Global tokens after the last layer [n, width] → embeddings [n, d]."""
        pooled = self._visual.ln_post(tokens)
        return pooled if self._visual.proj is None else pooled @ self._visual.proj


def _empty_mask(index: int) -> UsageError:
    return UsageError(
        f"segment encoder: expected every mask to have a pixel, got an empty one at index {index}; drop it"
    )


def _smaller(
    photo: Image.Image, masks: NDArray[np.bool_], side: int
) -> tuple[Image.Image, NDArray[np.bool_]]:  # fmt: skip
    """Photo and masks with this short side; a mask that has no pixel there keeps the one where its first one lies."""
    scale = side / min(photo.size)
    width, height = max(1, int(photo.width * scale)), max(1, int(photo.height * scale))
    rows = ((np.arange(height) + 0.5) * photo.height / height).astype(int)
    columns = ((np.arange(width) + 0.5) * photo.width / width).astype(int)
    small = masks[:, rows[:, None], columns[None]]
    for index in np.flatnonzero(~small.any(axis=(1, 2))):
        places = np.argwhere(masks[index])
        if len(places) == 0:
            raise _empty_mask(int(index))
        y, x = places[0]
        small[index, y * height // photo.height, x * width // photo.width] = True
    return photo.resize((width, height), Image.Resampling.BICUBIC), small


def _bounding_box(mask: NDArray[np.bool_], index: int) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        raise _empty_mask(index)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _to_rgb(image: Image.Image | NDArray[np.uint8]) -> Image.Image:
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))):
            raise UsageError(
                "segment encoder: expected an image of type uint8 and shape [h, w], [h, w, 3] or [h, w, 4], "
                f"got {image.dtype} and {list(image.shape)}"
            )
        image = Image.fromarray(image)
    if image.mode.startswith(("I", "F")):
        # Pillow clips these to 0..255 instead of scaling them: a white picture, silently.
        raise UsageError(f"segment encoder: expected an image with 8 bits per channel, got Pillow's mode {image.mode}")
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # as Pillow asks for, with a warning
    return image.convert("RGB")


def _checked_visual(model: Any) -> Any:
    from open_clip.transformer import VisionTransformer

    visual = getattr(model, "visual", None)
    problem = None
    if not isinstance(visual, VisionTransformer):
        problem = f"the architecture {type(visual).__name__}"
    elif visual.attn_pool is not None:
        problem = "attentional pooling"
    elif visual.pool_type != "tok":
        problem = f"pooling {visual.pool_type!r}"
    if problem:
        raise UsageError(
            "segment encoder: expected an open_clip model with a VisionTransformer that pools its class token, got "
            f"{problem}; choose one such as ViT-L-14-336-quickgelu"
        )
    return visual


def _on_device(visual: Any, device: torch.device, dtype: torch.dtype) -> Any:
    from open_clip.transformer import LayerNormFp32

    weight = visual.conv1.weight
    if weight.device == device and weight.dtype == dtype:
        return visual
    moved = copy.deepcopy(visual).to(device, dtype)
    for module in moved.modules():
        if isinstance(module, LayerNormFp32):
            module.float()  # it computes in float32 whatever it is given, and so needs its weights in float32
    return moved
