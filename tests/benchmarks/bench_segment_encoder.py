"""How much faster the segment encoder is than one full pass of the vision transformer per segment.

    python tests/benchmarks/bench_segment_encoder.py [--runs 5] [--segments 20] [--mode globsub] [--small]

Both run in one process, in turn, on the same random weights, photo and masks. The plain pass uses the same fused
attention as the encoder, so the ratio shows what is shared and left out, not a slower way to write a softmax.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

from machine import not_measured, row, spread

try:
    import open_clip
    import torch
    from torch import Tensor
except ImportError as missing:
    not_measured(f"{missing.name}: pip install 'zgbench[models]'")

from reference_method.plain import embed_segment
from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig


def regions(count: int, height: int, width: int) -> Tensor:
    """A partition into `count` regions, each pixel with its nearest of random points: bool [count, h, w]."""
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(count, 2, generator=generator) * torch.tensor([height, width])
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    distances = (y - points[:, 0, None, None]) ** 2 + (x - points[:, 1, None, None]) ** 2
    return distances.argmin(dim=0) == torch.arange(count)[:, None, None]


def timed(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    begin = time.perf_counter()
    result = work()
    if result.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - begin, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="measured pairs, after one that is not counted")
    parser.add_argument("--segments", type=int, default=20)
    parser.add_argument("--model", default="ViT-L-14-336-quickgelu", help="an open_clip architecture; random weights")
    parser.add_argument("--small", action="store_true", help="ViT-B-32-quickgelu instead: seconds, not minutes")
    parser.add_argument("--mode", choices=["globsub", "masked"], default="globsub")
    parser.add_argument("--saliency", choices=["outputs", "probabilities"], default="outputs")
    parser.add_argument("--chunk", type=int, help="segments at a time; default: the encoder's own choice")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true", help="lines of JSON for run_all.py")
    args = parser.parse_args()

    torch.manual_seed(0)
    name = "ViT-B-32-quickgelu" if args.small else args.model
    settings = open_clip.get_model_config(name)
    if settings is None:
        parser.error(f"--model: open_clip has no architecture {name}")
    # The vision side is all that runs: a small text side saves time and memory.
    settings["text_cfg"] = {"context_length": 4, "vocab_size": 8, "width": 16, "heads": 1, "layers": 1}
    model = open_clip.CLIP(**settings).eval().to(args.device)
    visual = model.visual
    config = SegmentEncoderConfig(args.mode, args.saliency)
    encoder = SegmentEncoder(model, config, device=args.device, chunk=args.chunk)
    pixels = torch.randn(3, *visual.image_size, device=args.device)
    masks = regions(args.segments, 375, 500).to(args.device)

    def plain() -> Tensor:
        return torch.stack([embed_segment(visual, pixels, mask, config) for mask in masks])

    def shared() -> Tensor:
        return encoder.encode_tensor(pixels, masks)

    times: list[tuple[float, float]] = []
    with torch.inference_mode():
        difference = (timed(plain)[1] - timed(shared)[1]).abs().max().item()
        for run in range(args.runs):
            # The order alternates as well, so that a drift of the machine favours neither.
            if run % 2:
                fast, slow = timed(shared)[0], timed(plain)[0]
            else:
                slow, fast = timed(plain)[0], timed(shared)[0]
            times.append((slow, fast))
    slow, fast = [s for s, _ in times], [f for _, f in times]
    if args.json:
        what = f"{args.segments} segment embeddings, {name}, {args.mode}"
        note = f"numbers differ by at most {difference:.0e}"
        row(what, "s", fast, "a pass for each segment", slow, note=note)
        return
    processor = torch.cuda.get_device_name() if args.device.startswith("cuda") else platform.processor()
    print(f"machine     {platform.machine()} {processor}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads")
    print(
        f"software    Python {platform.python_version()}, torch {torch.__version__}, open_clip {open_clip.__version__}"
    )
    print(f"work        {name}, {config.describe()}, float32, {args.segments} segments, chunk {encoder.chunk}")
    print(f"plain       {spread(slow, ' s')}, one full pass per segment")
    print(f"shared      {spread(fast, ' s')}")
    print(f"ratio       {spread([a / b for a, b in times], '×')}, median (min–max) over {args.runs} pairs")
    print(f"difference  {difference:.1e}, largest of an embedding's numbers")


if __name__ == "__main__":
    main()
