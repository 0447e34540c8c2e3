"""``zgbench reference bench``: the method against the plain way, and its time by stage, with random weights.

All sides run in one process, in turn, on the same weights and inputs; ratios are of medians, with the smallest and
largest of the runs. On a CPU the time is the processor's, of all threads together, which other programs disturb less.
That outputs are equal is checked, not assumed.
"""

from __future__ import annotations

import copy
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from reference_method.candidates import DinoKeys, segment
from reference_method.clip_text import ClipText
from reference_method.language import LanguageModel
from reference_method.merging import Forest, Segment, merge
from reference_method.models import MINI
from reference_method.naming import ZeroCap, ZeroCapConfig
from reference_method.plain import embed_segment, zerocap
from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig
from zgbench.errors import ZgbenchError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Size:
    """Architectures to measure.

    Attributes:
        dino: of timm, with arguments.
        clip: architecture of open_clip.
        text_layers, text_width: of its text tower, None: its own.
        gpt2: layers and width.
        naming: of the comparison with the plain loop, which the full constants would keep busy for hours on a CPU.
        compared: segments in that comparison.
    """

    dino: tuple[str, dict[str, Any]]
    image_size: int
    clip: str
    text: dict[str, int]
    gpt2: tuple[int, int]
    naming: ZeroCapConfig
    compared: int


SIZES = {
    "mini": Size(
        ("vit_tiny_patch16_224", {"img_size": 96, "patch_size": 8, "embed_dim": 128, "depth": 6, "num_heads": 4}),
        96, "ViT-B-32-quickgelu", {"width": 128, "heads": 4, "layers": 3}, (4, 128), ZeroCapConfig(max_tokens=2), 5,
    ),
    "small": Size(
        ("vit_small_patch8_224", {}), 224, "ViT-B-16-quickgelu", {"width": 256, "heads": 4, "layers": 6}, (6, 256),
        ZeroCapConfig(max_tokens=2), 3,
    ),
    "full": Size(("vit_small_patch8_224", {}), 224, "ViT-L-14-336-quickgelu", {}, (24, 1024), ZeroCapConfig(), 2),
}  # fmt: skip


def main(size: str, device: str, precision: str | None, segments: int, runs: int) -> int:
    """Measure and print. Returns the exit status; 1 if the two sides' outputs differ."""
    if segments < 1 or runs < 1:
        raise ZgbenchError("--segments and --runs: expected at least 1.")
    chosen, models = SIZES[size], _Models(SIZES[size], device)
    print(f"{size}: CLIP {chosen.clip}, DINO {chosen.dino[0]}, GPT-2 of {chosen.gpt2[0]} layers; random weights; "
          f"{segments} segments, {runs} runs; {_machine(device)}; PyTorch {torch.__version__}")  # fmt: skip
    equal = _segments(models, segments, runs)
    equal &= _names(models, runs)
    _stages(models, segments, precision or "fp32")
    return 0 if equal else 1


class _Models:
    def __init__(self, size: Size, device: str) -> None:
        import open_clip
        import timm
        from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

        torch.manual_seed(0)
        self.size, self.device = size, device
        name, arguments = size.dino
        self.dino = timm.create_model(name, pretrained=False, num_classes=0, **arguments)
        options = {}
        if size.text:
            text_cfg = {"context_length": 77, "vocab_size": 49408, **size.text}
            options = {"text_cfg": text_cfg}
        self.clip = open_clip.create_model(size.clip, device=device, **options).eval().requires_grad_(False)
        self.clip_tokenizer = open_clip.get_tokenizer(size.clip)
        # the tokenizer of mini: what GPT-2's own would cost here is the same, and it needs a download
        self.tokenizer = AutoTokenizer.from_pretrained(MINI / "gpt2")
        end = self.tokenizer.eos_token_id
        layers, width = size.gpt2
        # random logits of a small spread, as those of an untrained model are all but equal, and ties would decide
        config = GPT2Config(
            n_layer=layers, n_embd=width, n_head=max(1, width // 64), n_positions=128,
            vocab_size=len(self.tokenizer), bos_token_id=end, eos_token_id=end,
        )  # fmt: skip
        self.language = GPT2LMHeadModel(config).to(device).eval().requires_grad_(False)
        with torch.no_grad():
            self.language.transformer.wte.weight.mul_(4)
            self.clip.token_embedding.weight.mul_(10)

    def photo(self) -> Image.Image:
        """Noise of large and small blobs, so that clusters are of many sizes."""
        rng = np.random.default_rng(0)
        big = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize(
            (500, 375), Image.Resampling.BICUBIC
        )
        fine = rng.integers(-12, 13, (375, 500, 3))
        return Image.fromarray(np.clip(np.asarray(big) + fine, 0, 255).astype(np.uint8))


def _segments(models: _Models, count: int, runs: int) -> bool:
    config = SegmentEncoderConfig()
    encoder = SegmentEncoder(models.clip, config, device=models.device)
    photo, masks = models.photo(), _regions(count, 375, 500)

    def plain() -> Any:
        pixels = encoder._pixels(photo)[None]
        with torch.inference_mode():
            rows = [
                embed_segment(models.clip.visual, pixels[0], torch.from_numpy(mask).to(models.device), config)
                for mask in masks
            ]
            return torch.nn.functional.normalize(torch.stack(rows).float(), dim=-1).cpu().numpy()

    ours, theirs, faster, difference = _in_turn(lambda: encoder.encode(photo, masks), plain, runs, lambda a, b: float(np.abs(a - b).max()))  # fmt: skip
    print(f"segment embeddings: {ours} against {theirs} with a pass for each segment: {faster}; "
          f"largest difference {difference:.1e}")  # fmt: skip
    return difference < 1e-4


def _names(models: _Models, runs: int) -> bool:
    config, count = models.size.naming, models.size.compared
    width = models.clip.text_projection.shape[1]
    targets = torch.randn(count, width, generator=torch.Generator().manual_seed(1)).to(models.device)
    language, text = LanguageModel(models.language, models.tokenizer), ClipText(models.clip, models.clip_tokenizer)

    def batched(limit: int | None = None) -> list[str]:  # each run with an empty memory
        return ZeroCap(language, text, config, limit=limit).name(targets)

    def plain() -> list[str]:
        return [
            zerocap(models.language, models.tokenizer, models.clip, models.clip_tokenizer, target, config)
            for target in targets
        ]

    def differing(a: list[str], b: list[str]) -> int:
        return sum(x != y for x, y in zip(a, b, strict=True))

    print(
        f"ZeroCap, {count} segments, {config.max_tokens} tokens, {config.candidates} candidates, {config.beams} beams:"
    )
    ours, theirs, faster, again = _in_turn(batched, lambda: batched(0), runs, differing)
    print(f"  {ours} against {theirs} where no text is remembered: {faster}; {again} of {count} texts differ")
    # the plain loop takes minutes: one run of it
    ours, theirs, faster, different = _in_turn(
        batched, plain, 1 if models.device == "cpu" else runs, differing, warm=False
    )
    print(f"  {ours} against {theirs} in the plain loop: {faster}; {different} of {count} texts differ")
    return different == again == 0


def _stages(models: _Models, count: int, precision: str) -> None:
    """One photo through the whole method, ``count`` clusters and no cosine merging, so that there are as many names."""
    dtype = DTYPES[precision]
    seconds: dict[str, float] = {}
    cuda = models.device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    dino = DinoKeys(models.dino, image_size=models.size.image_size, stride=2, device=models.device)
    encoder = SegmentEncoder(models.clip, SegmentEncoderConfig(), device=models.device, dtype=dtype)
    clip = models.clip if dtype == torch.float32 else copy.deepcopy(models.clip).to(dtype)
    text = ClipText(clip, models.clip_tokenizer)
    naming = models.size.naming if not cuda else replace(models.size.naming, max_tokens=15)
    namer = ZeroCap(LanguageModel(copy.deepcopy(models.language).to(dtype), models.tokenizer), text, naming)
    photo = models.photo()

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        begin = _clock()
        found = work()
        seconds[stage] = _clock() - begin
        return found

    segment(torch.randn(20, 20, 8), (20, 20), patch=8, stride=2)  # compiles
    keys = timed("candidates: DINO keys", lambda: dino(dino.pixels(photo)))
    found = timed("candidates: clustering", lambda: segment(keys, (375, 500), patch=8, stride=2, n=count, cosine=2.0))
    masks = found.masks()
    vectors = timed("embeddings", lambda: encoder.encode(photo, masks))
    names = timed("naming", lambda: namer.name(torch.from_numpy(vectors).to(models.device)))
    forest = Forest(
        found.tree, {k: Segment(m, v, n) for k, (m, v, n) in enumerate(zip(masks, vectors, names, strict=True))}
    )
    timed("merging", lambda: merge(
        [forest], 0.8, embed=lambda _, unions: encoder.encode(photo, unions),
        name=lambda rows: namer.name(torch.from_numpy(rows).to(models.device)), read=lambda labels: text.encode(labels).cpu().numpy(),
    ))  # fmt: skip
    memory = namer.memory
    total = sum(seconds.values())
    print(f"\nOne image, {len(masks)} segments, at most {naming.max_tokens} tokens, {precision}:")
    print("| stage | seconds | share |\n|---|---|---|")
    for stage, value in seconds.items():
        print(f"| {stage} | {value:.3f} | {value / total:.0%} |")
    print(f"| total | {total:.3f} | {1 / total:.2f} images/s |")
    print(f"texts: {memory.asked:,} asked for, {memory.computed:,} of them embedded")
    if cuda:
        print(f"most GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


def _in_turn(
    ours: Callable[[], Any], theirs: Callable[[], Any], runs: int, difference: Callable[[Any, Any], Any], *, warm: bool = True
) -> tuple[str, str, str, Any]:  # fmt: skip
    times: tuple[list[float], list[float]] = ([], [])
    results: list[Any] = [None, None]
    for run in range(runs + warm):
        for side, work in enumerate((ours, theirs)):
            begin = _clock()
            results[side] = work()
            if run >= warm:
                times[side].append(_clock() - begin)
    ratios = [b / a for a, b in zip(*times, strict=True)]
    shown = f"{statistics.median(ratios):.1f}× [{min(ratios):.1f}, {max(ratios):.1f}]"
    mine, plain = (f"{statistics.median(t):.2f} s [{min(t):.2f}, {max(t):.2f}]" for t in times)
    return mine, plain, shown, difference(*results)


def _clock() -> float:
    """Seconds: with a GPU of the wall, when it has done all work, else of the processor."""
    if not torch.cuda.is_available():
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def _regions(count: int, height: int, width: int) -> Any:
    """A partition, each pixel with its nearest of random points: bool [count, h, w]."""
    points = np.random.default_rng(0).random((count, 2)) * (height, width)
    y, x = np.mgrid[:height, :width]
    near = ((y - points[:, 0, None, None]) ** 2 + (x - points[:, 1, None, None]) ** 2).argmin(axis=0)
    return near == np.arange(count)[:, None, None]


def _machine(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {os.cpu_count()} cores"
