"""How much faster ZeroCap is, all segments and beams together, than the plain loop: the small models of mini.

    python tests/benchmarks/bench_zerocap.py [--runs 5] [--segments 1] [--tokens 2] [--candidates 512]

Published constants (5 beams, 5 gradient steps, 512 candidates, …) but for the number of tokens (published: at most 15),
with which the plain loop would take hours on a CPU. The plain loop (reference_method/plain.py) encodes every candidate
text whole.
``zgbench reference bench --size small`` compares larger models, with one run of the plain loop.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

from machine import describe, not_measured, row, spread

try:
    import open_clip
    import torch
    from transformers import AutoTokenizer, GPT2LMHeadModel
except ImportError as missing:
    not_measured(f"{missing.name}: pip install 'zgbench[reference]'")

from reference_method.clip_text import ClipText
from reference_method.language import LanguageModel
from reference_method.models import MINI
from reference_method.naming import ZeroCap, ZeroCapConfig
from reference_method.plain import zerocap

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 3}


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and result."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main() -> None:
    """Take turns; the texts must be the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--segments", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=2)
    parser.add_argument("--candidates", type=int, default=512)
    parser.add_argument("--json", action="store_true", help="lines of JSON for run_all.py")
    options = parser.parse_args()
    torch.manual_seed(0)
    clip = open_clip.create_model("ViT-B-32-quickgelu", text_cfg=TEXT).eval().requires_grad_(False)
    with torch.no_grad():
        clip.token_embedding.weight.mul_(10)  # random texts would all but coincide
    clip_tokenizer = open_clip.get_tokenizer("ViT-B-32-quickgelu")
    language = GPT2LMHeadModel.from_pretrained(MINI / "gpt2", dtype=torch.float32).eval().requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(MINI / "gpt2")
    config = ZeroCapConfig(max_tokens=options.tokens, candidates=options.candidates)
    targets = torch.randn(options.segments, clip.text_projection.shape[1], generator=torch.Generator().manual_seed(1))
    model, text = LanguageModel(language, tokenizer), ClipText(clip, clip_tokenizer)
    ours, plain = [], []
    ZeroCap(model, text, config).name(targets)
    for _ in range(options.runs):
        seconds, names = timed(lambda: ZeroCap(model, text, config).name(targets))  # with an empty memory
        ours.append(seconds)
        seconds, expected = timed(
            lambda: [zerocap(language, tokenizer, clip, clip_tokenizer, t, config) for t in targets]
        )
        plain.append(seconds)
        assert names == expected, f"{names} is not {expected}"
    what = f"ZeroCap, {options.segments} segment(s), {options.tokens} tokens, {options.candidates} candidates, mini's GPT-2, a text tower of {TEXT['layers']} layers"
    if options.json:
        row(what, "s", ours, "plain loop", plain, note="the same texts")
    else:
        ratios = [b / a for a, b in zip(ours, plain, strict=True)]
        print(
            f"{describe()}, {os.environ.get('OMP_NUM_THREADS', 'all')} threads\n{what}: {spread(ours, ' s')}, plain {spread(plain, ' s')}: {spread(ratios, '×')}"
        )


if __name__ == "__main__":
    main()
