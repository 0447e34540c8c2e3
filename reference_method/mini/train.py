"""Trains the small models of ``mini`` with fixed seeds: python -m reference_method.mini.train [clip] [dino] [gpt2]

About an hour on two CPU cores. Pictures and words of training scenes are used, never a mask, never a validation scene.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch

import zgbench.encoders
from zgbench.datasets import mini

HERE = Path(__file__).parent
CLIP_FOLDER = Path(zgbench.encoders.__file__).parent / "mini_clip"
CHECKED = range(900_000_000, 900_000_060)
"""Training scenes that are looked at, masks and all, to choose settings; none is trained on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["clip", "dino", "gpt2"])
    parser.add_argument("--scenes", type=int, default=40_000, help="training scenes")
    parser.add_argument("--clip-steps", type=int, default=3000)
    parser.add_argument("--dino-steps", type=int, default=600)
    parser.add_argument("--gpt2-steps", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="write all models here, not over the shipped ones")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"

    from reference_method.mini import train_clip, train_dino, train_language
    from reference_method.mini.scenes import load

    def folder(shipped: Path) -> Path:
        found = options.out / shipped.name if options.out else shipped
        found.mkdir(parents=True, exist_ok=True)
        return found

    scenes = load(options.scenes, os.cpu_count() or 1)
    if "clip" in options.models:
        target = folder(CLIP_FOLDER)
        train_clip.train(scenes, target, steps=options.clip_steps, batch=64, seed=0, device=device, check=check_clip)
    if "dino" in options.models:
        target = folder(HERE / "dino")
        train_dino.train(scenes, target, steps=options.dino_steps, batch=48, seed=0, device=device)
        check_dino(target)
    if "gpt2" in options.models:
        train_language.train(scenes, folder(HERE / "gpt2"), steps=options.gpt2_steps, batch=64, seed=0, device=device)


def check_clip(folder: Path) -> None:
    """Share of the segments of held-out training scenes whose nearest class name is theirs."""
    import open_clip
    from open_clip.tokenizer import SimpleTokenizer

    from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig

    model = open_clip.create_model(f"local-dir:{folder}").eval()
    tokenizer = SimpleTokenizer(str(folder / "merges.txt.gz"), context_length=48)
    with torch.inference_mode():
        names = model.encode_text(tokenizer([f"Image of a {c.name}." for c in mini.CLASSES]), normalize=True).numpy()
    scenes = [mini.scene("train", index) for index in CHECKED]
    for mode, sigma, first in (("crop", 1, 0), ("masked", 1, 0), ("globsub", 1, 0), ("globsub", 0.7, 0), ("globsub", 0.5, 0), ("globsub", 0.7, 2)):  # fmt: skip
        encoder = SegmentEncoder(model, SegmentEncoderConfig(mode, sigma=sigma, first_masked_layer=first))  # type: ignore[arg-type]
        right: dict[str, list[bool]] = {"thing": [], "stuff": []}
        for scene in scenes:
            ids = np.unique(scene.truth)
            found = encoder.encode(scene.image, scene.truth[None] == ids[:, None, None])
            for class_id, best in zip(ids, (found @ names.T).argmax(axis=1), strict=True):
                right[mini.CLASSES[class_id - 1].kind].append(bool(best == class_id - 1))
        print(f"  {mode} sigma={sigma} first={first}: all {np.mean(right['thing'] + right['stuff']):.3f}, "
              f"things {np.mean(right['thing']):.3f}, stuff {np.mean(right['stuff']):.3f}", flush=True)  # fmt: skip


def check_dino(folder: Path) -> None:
    """How well candidates fit the truth on held-out training scenes: IoU over classes when each takes the class that
    it covers most; DINO's keys against plain colour."""
    import timm
    from PIL import Image

    from reference_method.candidates import DinoKeys, segment
    from reference_method.mini.train_dino import DEVIATION, MEAN

    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    scenes = [mini.scene("train", index) for index in CHECKED]
    for source in ("dino", "colour"):
        for criterion in ("variance", "ward"):
            for cosine in (0.9, 0.95, 2.0):
                scores, counts = [], []
                for scene in scenes:
                    dino = DinoKeys(model, image_size=96, mean=MEAN, deviation=DEVIATION)
                    pixels = dino.pixels(Image.fromarray(scene.image))
                    keys = dino(pixels)
                    if source == "colour":
                        keys = torch.nn.functional.avg_pool2d(pixels, 8, stride=2)[0].permute(1, 2, 0)
                    found = segment(keys, (96, 96), patch=8, stride=2, cosine=cosine, criterion=criterion)  # type: ignore[arg-type]
                    scores.append(upper_bound(found.label_map, scene.truth))
                    counts.append(found.label_map.max() + 1)
                print(f"  {source} {criterion} cosine={cosine}: IoU {np.mean(scores):.3f}, {np.mean(counts):.1f} segments", flush=True)  # fmt: skip


def upper_bound(label_map: np.ndarray, truth: np.ndarray) -> float:
    """IoU over the truth's classes when every segment is given the class that covers most of it."""
    named = np.zeros_like(truth)
    for value in np.unique(label_map):
        named[label_map == value] = np.bincount(truth[label_map == value]).argmax()
    ious = [((named == c) & (truth == c)).sum() / ((named == c) | (truth == c)).sum() for c in np.unique(truth)]
    return float(np.mean(ious))


if __name__ == "__main__":
    main()
