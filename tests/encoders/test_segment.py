"""The segment encoder against a slow, obvious second implementation: one segment at a time, formulas from the paper."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")

from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg, set_model_preprocess_cfg  # noqa: E402

from zgbench.encoders.masked_attention import area_average  # noqa: E402
from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig  # noqa: E402
from zgbench.errors import UsageError  # noqa: E402

MEAN, STD = (0.5, 0.4, 0.3), (0.25, 0.5, 0.2)
TOLERANCE = 1e-4
COMBINATIONS = [
    ("globsub", "outputs"),
    ("globsub", "probabilities"),
    ("masked", "outputs"),
    ("masked", "probabilities"),
]


# --- The second implementation ---------------------------------------------------------------------------------------


def plain_layer_norm(x: Any, weight: Any, bias: Any) -> Any:
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + 1e-5) * weight + bias


def plain_grid(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Area average: every pixel becomes a block of `grid` equal pixels, then the cells are whole."""
    big = mask.repeat(grid[0], axis=0).repeat(grid[1], axis=1)
    return big.reshape(grid[0], mask.shape[0], grid[1], mask.shape[1]).mean(axis=(1, 3))


def plain_embedding(model: Any, pixels: Any, mask: np.ndarray, config: SegmentEncoderConfig, dtype: Any) -> Any:
    """One segment through all layers, from the weights alone. [3, H, W], [h, w] → [d]."""
    visual = model.visual
    p = {name: value.detach().to(dtype) for name, value in visual.state_dict().items()}
    n_layers, n_heads = len(visual.transformer.resblocks), visual.transformer.resblocks[0].attn.num_heads
    quick = type(visual.transformer.resblocks[0].mlp.gelu).__name__ == "QuickGELU"
    M = torch.tensor([1.0, *plain_grid(mask, visual.grid_size).flatten()], dtype=dtype)

    rows, columns = visual.patch_size
    patches = pixels.to(dtype).unfold(1, rows, rows).unfold(2, columns, columns).permute(1, 2, 0, 3, 4).flatten(2)
    tokens = patches.flatten(0, 1) @ p["conv1.weight"].flatten(1).T
    x = torch.cat([p["class_embedding"][None], tokens]) + p["positional_embedding"]
    if "ln_pre.weight" in p:
        x = plain_layer_norm(x, p["ln_pre.weight"], p["ln_pre.bias"])

    for layer in range(n_layers):
        w = {name.split(".", 3)[3]: v for name, v in p.items() if name.startswith(f"transformer.resblocks.{layer}.")}
        normed = plain_layer_norm(x, w["ln_1.weight"], w["ln_1.bias"])
        q, k, v = (normed @ w["attn.in_proj_weight"].T + w["attn.in_proj_bias"]).chunk(3, dim=1)
        q, k, v = (part.unflatten(1, (n_heads, -1)).transpose(0, 1) for part in (q, k, v))  # [heads, t, c]
        logits = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        e = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
        unmasked = e / e.sum(-1, keepdim=True)
        attended = unmasked @ v
        if layer >= config.first_masked_layer % n_layers:
            e = torch.exp(logits - logits.masked_fill(M == 0, -math.inf).max(dim=-1, keepdim=True).values)
            e = torch.where(M == 0, 0, e)
            masked = e * M / (e * M).sum(-1, keepdim=True)
            A, A_masked = attended, masked @ v
            attended = A_masked
            if config.mode == "globsub":
                if config.saliency == "outputs":
                    a, b = A_masked.transpose(0, 1).flatten(1), A.transpose(0, 1).flatten(1)
                else:
                    a, b = masked, unmasked
                S = ((a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))).mean()
                weight = torch.exp(-((S + 1) ** 2) / (2 * config.sigma**2))
                attended = A_masked - weight * A[:, :1]
        attended = attended.transpose(0, 1).flatten(1) @ w["attn.out_proj.weight"].T + w["attn.out_proj.bias"]
        x = x + attended * w.get("ls_1.gamma", 1)
        h = plain_layer_norm(x, w["ln_2.weight"], w["ln_2.bias"]) @ w["mlp.c_fc.weight"].T + w["mlp.c_fc.bias"]
        h = h / (1 + torch.exp(-1.702 * h)) if quick else h * (1 + torch.erf(h / math.sqrt(2))) / 2
        x = x + (h @ w["mlp.c_proj.weight"].T + w["mlp.c_proj.bias"]) * w.get("ls_2.gamma", 1)
    return plain_layer_norm(x[0], p["ln_post.weight"], p["ln_post.bias"]) @ p["proj"]


# --- Models, masks ---------------------------------------------------------------------------------------------------


def sharpen(model: Any, factor: float = 3.0) -> Any:
    """Random weights give nearly uniform attention, which hides errors: scale queries and keys, randomise biases."""
    for block in model.visual.transformer.resblocks:
        d = block.attn.in_proj_weight.shape[1]
        with torch.no_grad():
            block.attn.in_proj_weight[: 2 * d] *= factor
            block.attn.in_proj_bias.normal_(std=0.3)
            block.attn.out_proj.bias.normal_(std=0.3)
            block.ln_1.weight.normal_(1, 0.2)
    return model


def small_model(quick_gelu: bool = True, factor: float = 3.0, **vision: Any) -> Any:
    torch.manual_seed(0)
    settings = {"layers": 5, "width": 48, "head_width": 16, "patch_size": 8, "image_size": 48} | vision
    text = CLIPTextCfg(context_length=4, vocab_size=8, width=16, heads=1, layers=1)
    model = CLIP(embed_dim=24, vision_cfg=CLIPVisionCfg(**settings), text_cfg=text, quick_gelu=quick_gelu).eval()
    set_model_preprocess_cfg(model, {"mean": MEAN, "std": STD, "size": settings["image_size"]})
    return sharpen(model, factor)


VARIANTS: dict[str, Callable[[], Any]] = {
    "quickgelu": lambda: small_model(True),
    "gelu": lambda: small_model(False),
    "layer scale": lambda: small_model(ls_init_value=0.7),
    "no ln_pre": lambda: small_model(no_ln_pre=True),
    "norm after pooling, one layer": lambda: small_model(layers=1, final_ln_after_pool=True),
    "oblong": lambda: small_model(image_size=(32, 56)),
}


@pytest.fixture(scope="module", params=VARIANTS)
def model(request: pytest.FixtureRequest) -> Any:
    return VARIANTS[request.param]()


@pytest.fixture(scope="module")
def quick() -> Any:
    return small_model()


def some_masks(height: int = 45, width: int = 62) -> np.ndarray:
    """A rectangle, a disc, a one-pixel line, one pixel, everything, a border that leaves a hole."""
    y, x = np.mgrid[:height, :width]
    disc = (y - 12) ** 2 + (x - 40) ** 2 < 90
    return np.stack([
        (y < 20) & (x < 25), disc, y == 30, (y == 44) & (x == 61), y >= 0, (x < 9) | (x > 50) | (y > 35),
    ])  # fmt: skip


def some_pixels(model: Any, seed: int = 1) -> Any:
    return torch.randn(3, *model.visual.image_size, generator=torch.Generator().manual_seed(seed))


def embed(model: Any, pixels: Any, masks: np.ndarray, *, chunk: int = 32, **config: Any) -> Any:
    return SegmentEncoder(model, SegmentEncoderConfig(**config), chunk=chunk).encode_tensor(pixels, torch.tensor(masks))


# --- Equality with the plain computation -----------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "saliency"), COMBINATIONS)
@pytest.mark.parametrize("first", [0, -1, "middle"])
def test_equals_the_plain_computation(model: Any, mode: Any, saliency: Any, first: Any) -> None:
    layers = len(model.visual.transformer.resblocks)
    config = SegmentEncoderConfig(mode, saliency, first_masked_layer=layers // 2 if first == "middle" else first)
    pixels, masks = some_pixels(model), some_masks()
    expected = torch.stack([plain_embedding(model, pixels, mask, config, torch.float64) for mask in masks])
    found = SegmentEncoder(model, config, chunk=4).encode_tensor(pixels, torch.tensor(masks))
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() <= TOLERANCE
    assert torch.pdist(expected).min() > 100 * TOLERANCE, "the masks do not matter: the comparison could not fail"


def test_every_option_moves_the_embedding(quick: Any) -> None:
    pixels, masks = some_pixels(quick), some_masks()[:2]
    options = [{}, {"mode": "masked"}, {"saliency": "probabilities"}, {"sigma": 1.0}, {"first_masked_layer": -3}]
    embeddings = torch.stack([embed(quick, pixels, masks, **option).flatten() for option in options])
    assert torch.pdist(embeddings).min() > 100 * TOLERANCE


def test_equals_the_plain_computation_on_vit_l_14_336() -> None:
    torch.manual_seed(0)
    # Without a text side, which would double the time and memory; small models prove the other modes.
    visual = open_clip.transformer.VisionTransformer(
        336, 14, 1024, 24, 16, 4.0, output_dim=768, act_layer=open_clip.transformer.QuickGELU
    )
    model = sharpen(SimpleNamespace(visual=visual.eval()))
    pixels = some_pixels(model)
    config = SegmentEncoderConfig("globsub")
    masks = some_masks()[[0, 3]]
    found = SegmentEncoder(model, config).encode_tensor(pixels, torch.tensor(masks))
    with torch.inference_mode():
        expected = torch.stack([plain_embedding(model, pixels, mask, config, torch.float32) for mask in masks])
    assert (found - expected).abs().max() <= TOLERANCE
    assert torch.pdist(expected).min() > 100 * TOLERANCE


CUSTOM_BLOCKS = {"qk_norm": True, "scale_heads": True, "scale_attn_inner": True, "scale_attn": True, "scale_fc": True}


@pytest.mark.parametrize("variant", [*VARIANTS, "custom blocks"])
@pytest.mark.parametrize("mode", ["masked", "crop"])
def test_a_mask_of_everything_is_plain_clip(variant: str, mode: Any) -> None:
    model = small_model(**CUSTOM_BLOCKS) if variant == "custom blocks" else VARIANTS[variant]()
    height, width = model.visual.image_size
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    encoder = SegmentEncoder(model, SegmentEncoderConfig(mode, first_masked_layer=0))
    found = encoder.encode(photo, np.ones((1, height, width), dtype=bool))
    with torch.no_grad():
        expected = model.encode_image(normalised(photo)[None], normalize=True).numpy()
    assert np.abs(found - expected).max() <= TOLERANCE


def test_a_vanishing_sigma_leaves_masked_attention(model: Any) -> None:
    # w = exp(−(S+1)²/(2σ²)) → 0 for σ → 0: the two modes' separate code must then agree.
    pixels, masks = some_pixels(model), some_masks()
    difference = embed(model, pixels, masks, sigma=1e-3, first_masked_layer=0) - embed(
        model, pixels, masks, mode="masked", first_masked_layer=0
    )
    assert difference.abs().max() <= TOLERANCE


@pytest.mark.parametrize(("mode", "saliency"), COMBINATIONS)
def test_attention_far_from_the_mask_does_not_underflow(mode: Any, saliency: Any) -> None:
    # Logits of several hundred: exp(x − max over all tokens) is 0 on the whole mask for many queries.
    model = small_model(factor=40.0)
    pixels, masks = some_pixels(model), some_masks()
    config = SegmentEncoderConfig(mode, saliency, first_masked_layer=-1)
    found = SegmentEncoder(model, config).encode_tensor(pixels, torch.tensor(masks))
    assert torch.isfinite(found).all()
    # The sharper the attention, the more rounding counts in the layers before: a wider bound.
    expected = torch.stack([plain_embedding(model, pixels, mask, config, torch.float64) for mask in masks])
    assert (found - expected).abs().max() <= 0.01


# --- Crop ------------------------------------------------------------------------------------------------------------


def normalised(photo: np.ndarray) -> Any:
    return torch.tensor((photo / 255 - MEAN) / STD, dtype=torch.float32).permute(2, 0, 1)


def test_crop_is_clip_on_the_bounding_box(quick: Any) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8)
    masks = some_masks()[[1, 0]]
    found = SegmentEncoder(quick, SegmentEncoderConfig("crop"), chunk=1).encode(photo, masks)
    y, x = np.nonzero(masks[0])
    disc = photo.copy()
    disc[~masks[0]] = np.round(np.multiply(MEAN, 255))
    for row, crop in zip(found, [disc[y.min() : y.max() + 1, x.min() : x.max() + 1], photo[:20, :25]], strict=True):
        squeezed = np.asarray(Image.fromarray(crop).resize((48, 48), Image.Resampling.BICUBIC))
        with torch.no_grad():
            expected = quick.encode_image(normalised(squeezed)[None], normalize=True)[0].numpy()
        assert np.abs(row - expected).max() <= TOLERANCE


def test_crop_as_the_released_code_does_it(quick: Any) -> None:
    """From the photo with a short side of 30 pixels, black around the segment."""
    photo = np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8)
    masks = some_masks()[[1, 0]]
    config = SegmentEncoderConfig("crop", crop_fill="black", crop_side=30)
    found = SegmentEncoder(quick, config).encode(photo, masks)
    small = np.asarray(Image.fromarray(photo).resize((41, 30), Image.Resampling.BICUBIC))
    for row, mask in zip(found, masks, strict=True):
        # nearest neighbour: the pixel under the middle of each small one
        small_mask = np.array([[mask[int((i + 0.5) * 45 / 30), int((j + 0.5) * 62 / 41)] for j in range(41)] for i in range(30)])  # fmt: skip
        y, x = np.nonzero(small_mask)
        crop = np.where(small_mask[..., None], small, 0)[y.min() : y.max() + 1, x.min() : x.max() + 1]
        squeezed = np.asarray(Image.fromarray(crop.astype(np.uint8)).resize((48, 48), Image.Resampling.BICUBIC))
        with torch.no_grad():
            expected = quick.encode_image(normalised(squeezed)[None], normalize=True)[0].numpy()
        assert np.abs(row - expected).max() <= TOLERANCE
    assert np.abs(found - SegmentEncoder(quick, SegmentEncoderConfig("crop")).encode(photo, masks)).max() > 0.001


def test_a_segment_too_small_for_the_smaller_photo_keeps_a_pixel(quick: Any) -> None:
    mask = np.zeros((1, 90, 90), bool)
    mask[0, 31, 62] = True
    config = SegmentEncoderConfig("crop", crop_side=9)
    assert np.isfinite(SegmentEncoder(quick, config).encode(np.zeros((90, 90, 3), np.uint8), mask)).all()
    with pytest.raises(UsageError, match="empty one at index 0"):
        SegmentEncoder(quick, config).encode(np.zeros((90, 90, 3), np.uint8), np.zeros((1, 90, 90), bool))


# --- Invariances -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "saliency"), [*COMBINATIONS[:3], ("crop", "outputs")])
def test_order_and_chunk_and_company_do_not_matter(quick: Any, mode: Any, saliency: Any) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8)
    masks, config = some_masks(), SegmentEncoderConfig(mode, saliency)
    reference = SegmentEncoder(quick, config).encode(photo, masks)
    assert np.array_equal(SegmentEncoder(quick, config).encode(photo, masks), reference), "not repeatable"
    for chunk in (1, 4, 6):
        encoder = SegmentEncoder(quick, config, chunk=chunk)
        assert np.abs(encoder.encode(photo, masks[::-1])[::-1] - reference).max() <= 1e-5
        assert np.abs(encoder.encode(photo, masks[2:3])[0] - reference[2]).max() <= 1e-5


@pytest.mark.parametrize("mode", ["globsub", "masked", "crop"])
def test_what_a_photo_shares_is_computed_once_and_changes_nothing(quick: Any, mode: Any, monkeypatch: Any) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8)
    encoder = SegmentEncoder(quick, SegmentEncoderConfig(mode))
    expected = encoder.encode(photo, some_masks())
    start = encoder.start(photo)
    assert (start is None) == (mode == "crop")
    if mode != "crop":
        monkeypatch.setattr(encoder, "_pixels", pytest.fail)  # the photo is not looked at again
    assert np.array_equal(encoder.encode(photo, some_masks(), start), expected)
    assert encoder.encode(photo, some_masks()[:0], start).shape == (0, 24)


def test_embeddings_have_unit_length_and_encode_prepares_as_encode_tensor_expects(quick: Any) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8)
    found = SegmentEncoder(quick).encode(photo, some_masks())
    assert found.dtype == np.float32
    assert found.shape == (6, 24)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6
    squeezed = np.asarray(Image.fromarray(photo).resize((48, 48), Image.Resampling.BICUBIC))
    direct = torch.nn.functional.normalize(embed(quick, normalised(squeezed), some_masks()), dim=1)
    assert np.abs(found - direct.numpy()).max() <= 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("mode", "saliency"), [*COMBINATIONS[:3], ("crop", "outputs")])
def test_half_precision(quick: Any, dtype: Any, mode: Any, saliency: Any) -> None:
    photo, config = (
        np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8),
        SegmentEncoderConfig(mode, saliency),
    )
    full = SegmentEncoder(quick, config).encode(photo, some_masks())
    half = SegmentEncoder(quick, config, dtype=dtype).encode(photo, some_masks())
    assert half.dtype == np.float32
    assert (full * half).sum(axis=1).min() > 0.99
    assert quick.visual.conv1.weight.dtype == torch.float32, "the caller's model was changed"


def test_half_precision_of_a_model_with_float32_norms() -> None:
    model = small_model()
    for module in model.visual.modules():
        if isinstance(module, open_clip.transformer.LayerNorm):
            module.__class__ = open_clip.transformer.LayerNormFp32
    masks = torch.tensor(some_masks())
    assert SegmentEncoder(model, dtype=torch.bfloat16).encode_tensor(some_pixels(model), masks).isfinite().all()


# --- Images and masks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGBA", "CMYK", "YCbCr"])
def test_images_of_every_8_bit_mode(quick: Any, mode: str) -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (45, 62, 3), dtype=np.uint8)).convert(mode)
    encoder = SegmentEncoder(quick)
    assert np.array_equal(encoder.encode(photo, some_masks()), encoder.encode(photo.convert("RGB"), some_masks()))


def test_palette_with_transparency(quick: Any) -> None:
    photo = Image.new("P", (62, 45), 3)
    photo.info["transparency"] = bytes([0, 255, 7, 9])  # Pillow warns when it turns this into RGB in one step
    assert np.isfinite(SegmentEncoder(quick).encode(photo, some_masks())).all()


@pytest.mark.parametrize("shape", [(45, 62), (45, 62, 4)])
def test_arrays_of_every_shape(quick: Any, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    masks = some_masks()[:, :, ::-1]
    masks.flags.writeable = False
    encoder = SegmentEncoder(quick)
    assert np.array_equal(encoder.encode(array, masks), encoder.encode(Image.fromarray(array), masks.copy()))


@pytest.mark.parametrize("mode", ["globsub", "masked", "crop"])
def test_smallest_inputs(quick: Any, mode: Any) -> None:
    encoder = SegmentEncoder(quick, SegmentEncoderConfig(mode))
    assert np.isfinite(encoder.encode(Image.new("RGB", (1, 1), (9, 80, 200)), np.ones((1, 1, 1), dtype=bool))).all()
    assert encoder.encode(Image.new("RGB", (3, 2)), np.ones((0, 2, 3), dtype=bool)).shape == (0, 24)


def test_area_average_is_exact() -> None:
    # Three pixels on two cells: the middle one lies half in each. Rows: one pixel in two cells.
    found = area_average(torch.tensor([[[True, False, False]], [[False, True, False]]]), (2, 2))
    assert torch.allclose(found, torch.tensor([[[2 / 3, 0.0]] * 2, [[1 / 3, 1 / 3]] * 2]), rtol=1e-6, atol=0)
    masks = np.random.default_rng(0).random((3, 37, 50)) < 0.3
    for grid in ((7, 7), (24, 24), (37, 25), (60, 3)):
        found = area_average(torch.tensor(masks), grid)
        assert np.abs(found.numpy() - [plain_grid(mask, grid) for mask in masks]).max() < 1e-6
    assert (area_average(torch.ones(1, 375, 500, dtype=torch.bool), (24, 24)) == 1).all()


# --- Errors and descriptions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["globsub", "crop"])
def test_an_empty_mask_is_named(quick: Any, mode: Any) -> None:
    masks = some_masks()
    masks[4] = False
    with pytest.raises(UsageError, match="empty one at index 4"):
        SegmentEncoder(quick, SegmentEncoderConfig(mode), chunk=2).encode(Image.new("RGB", (62, 45)), masks)


@pytest.mark.parametrize(
    ("image", "masks", "message"),
    [
        (Image.new("RGB", (45, 62)), some_masks(), r"shape \[n, 62, 45\].*got bool and \[6, 45, 62\]"),
        (Image.new("RGB", (62, 45)), some_masks()[0], r"got bool and \[45, 62\]"),
        (Image.new("RGB", (62, 45)), some_masks().astype(np.uint8), "got uint8"),
        (Image.new("I;16", (62, 45)), some_masks(), "8 bits per channel, got Pillow's mode I;16"),
        (np.zeros((45, 62, 3), dtype=np.float32), some_masks(), r"got float32 and \[45, 62, 3\]"),
        (np.zeros((45, 62, 2), dtype=np.uint8), some_masks(), r"got uint8 and \[45, 62, 2\]"),
    ],
)
def test_images_and_masks_that_do_not_fit(quick: Any, image: Any, masks: np.ndarray, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SegmentEncoder(quick).encode(image, masks)


def test_tensors_that_do_not_fit(quick: Any) -> None:
    with pytest.raises(UsageError, match=r"pixels of shape \[3, 48, 48\]"):
        SegmentEncoder(quick).encode_tensor(torch.zeros(3, 40, 48), torch.tensor(some_masks()))
    with pytest.raises(UsageError, match="use encode"):
        SegmentEncoder(quick, SegmentEncoderConfig("crop")).encode_tensor(
            some_pixels(quick), torch.tensor(some_masks())
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small_model(pool_type="avg"), "pooling 'avg'"),
        (lambda: small_model(attentional_pool=True, attn_pooler_heads=4), "attentional pooling"),
        (lambda: SimpleNamespace(visual=torch.nn.Conv2d(3, 3, 1)), "the architecture Conv2d"),
        (lambda: object(), "the architecture NoneType"),
        (lambda: small_model(scaled_cosine_attn=True), "scaled cosine attention"),
    ],
)
def test_models_without_a_class_token(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SegmentEncoder(make())


@pytest.mark.parametrize("first", [5, -6])
def test_layer_out_of_range(quick: Any, first: int) -> None:
    with pytest.raises(UsageError, match=rf"-5\.\.4 for a model of 5 layers, got {first}"):
        SegmentEncoder(quick, SegmentEncoderConfig(first_masked_layer=first))


def test_options_out_of_range(quick: Any) -> None:
    with pytest.raises(UsageError, match="chunk to be at least 1, got 0"):
        SegmentEncoder(quick, chunk=0)
    for wrong in (
        {"mode": "mask"},
        {"saliency": "output"},
        {"sigma": 0.0},
        {"sigma": math.nan},
        {"crop_fill": "white"},
        {"crop_side": -1},
    ):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            SegmentEncoderConfig(**wrong)


def test_description() -> None:
    assert SegmentEncoderConfig().describe() == "globsub,outputs,sigma=1.5811,first=-4"
    assert SegmentEncoderConfig("masked", sigma=3).describe() == "masked,first=-4"
    assert SegmentEncoderConfig("crop").describe() == "crop"
    assert SegmentEncoderConfig("crop", crop_fill="black", crop_side=224).describe() == "crop,fill=black,side=224"
