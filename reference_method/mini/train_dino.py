"""DINO of ``mini``: self-distillation on pictures alone (Caron et al. 2021), for the picture and for its patches.

Teacher and student see two crops; the student's class token is to predict the teacher's, and each of its patches the
teacher's feature at the same place of the scene (as in dense and iBOT variants of DINO), which is what clustering needs.
Teacher assignments are balanced by Sinkhorn's iterations, so that a short training does not collapse.
"""

from __future__ import annotations

import copy
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_method.mini.scenes import Scenes

ARCHITECTURE = "vit_tiny_patch16_224"
ARGUMENTS = {"img_size": 96, "patch_size": 8, "embed_dim": 128, "depth": 6, "num_heads": 4, "num_classes": 0}
MEAN, DEVIATION = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
_PROTOTYPES = 256


class _Head(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, 256), nn.GELU(), nn.Linear(256, 64))
        self.last = nn.Linear(64, _PROTOTYPES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(F.normalize(self.mlp(x), dim=-1), F.normalize(self.last.weight, dim=-1))


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        import timm

        self.vit = timm.create_model(ARCHITECTURE, pretrained=False, **ARGUMENTS)
        for block in self.vit.blocks:
            block.attn.fused_attn = False  # on a CPU in bfloat16, faster to train
        self.whole, self.patch = _Head(self.vit.embed_dim), _Head(self.vit.embed_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.vit.forward_features(x)
        return self.whole(tokens[:, 0]).float(), self.patch(tokens[:, 1:]).float()


def train(scenes: Scenes, folder: Path, *, steps: int, batch: int, seed: int, device: str) -> None:
    """Train and write ``config.json`` and ``model.safetensors``, as timm loads them from a folder."""
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    rng = random.Random(seed)
    student = _Network().to(device).train()
    teacher = copy.deepcopy(student).requires_grad_(False).eval()
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-3, weight_decay=0.04)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=steps, pct_start=0.15)
    started, total = time.perf_counter(), 0.0
    for step in range(steps):
        indices = [rng.randrange(len(scenes.images)) for _ in range(batch)]
        pictures = scenes.images[indices].to(device).float() / 255
        (first, place1), (second, place2) = _crop(pictures), _crop(pictures)
        with torch.autocast(device, torch.bfloat16):
            seen = student(torch.cat([first, second]))
            with torch.no_grad():
                known = teacher(torch.cat([first, second]))
        loss = _loss(seen, known, place1, place2)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 3.0)
        optimiser.step()
        schedule.step()
        keep = 1 - 0.01 * (math.cos(math.pi * step / steps) + 1) / 2
        with torch.no_grad():
            for theirs, ours in zip(teacher.parameters(), student.parameters(), strict=True):
                theirs.lerp_(ours, 1 - keep)
        total += loss.item()
        if (step + 1) % 50 == 0:
            speed = batch * (step + 1) / (time.perf_counter() - started)
            print(f"dino {step + 1}/{steps}: loss {total / 50:.3f}, {speed:.0f} images/s", flush=True)
            total = 0.0
    config = {
        "architecture": ARCHITECTURE,
        "num_classes": 0,
        "model_args": {k: v for k, v in ARGUMENTS.items() if k != "num_classes"},
        "pretrained_cfg": {
            "tag": "zgbench_mini", "input_size": [3, 96, 96], "fixed_input_size": True, "mean": MEAN, "std": DEVIATION,
            "num_classes": 0, "first_conv": "patch_embed.proj", "classifier": "head",
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    state = {name: value.cpu().half().contiguous() for name, value in teacher.vit.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def _crop(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """A random crop of each, mirrored at random, colours varied: normalised [b, 3, 96, 96], and where its patches'
    centres lie in the scene, in −1 … 1: [b, 144, 2]."""
    b, device = len(pictures), pictures.device
    side = torch.empty(b, device=device).uniform_(0.45, 1.0)
    middle = (torch.rand(b, 2, device=device) * 2 - 1) * (1 - side)[:, None]
    mirror = torch.where(torch.rand(b, device=device) < 0.5, -1.0, 1.0)
    theta = torch.zeros(b, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, :, 2] = side * mirror, side, middle
    crop = F.grid_sample(pictures, F.affine_grid(theta, [b, 3, 96, 96], align_corners=False), align_corners=False, padding_mode="reflection")  # fmt: skip
    bright, contrast = (torch.empty(b, 1, 1, 1, device=device).uniform_(0.8, 1.2) for _ in range(2))
    tint = torch.empty(b, 3, 1, 1, device=device).uniform_(0.9, 1.1)
    crop = ((crop - 0.5) * contrast + 0.5) * bright * tint
    crop = crop + 0.03 * torch.randn_like(crop)
    places = F.affine_grid(theta, [b, 3, 12, 12], align_corners=False).flatten(1, 2)
    return (crop.clamp(0, 1) - 0.5) / 0.25, places


def _loss(seen: Any, known: Any, place1: Tensor, place2: Tensor) -> Tensor:
    whole, patches = seen
    b = len(place1)
    sure = _balanced(known[0] / 0.05)
    loss = -(torch.cat([sure[b:], sure[:b]]) * F.log_softmax(whole / 0.1, dim=-1)).sum(-1).mean()
    sure = _balanced(known[1].flatten(0, 1) / 0.05).unflatten(0, (2 * b, -1))
    gap = torch.cdist(place1, place2)
    reach = 1 / 12  # of a patch's side in an uncropped picture, which spans 2
    for mine, theirs, distance in ((patches[:b], sure[b:], gap), (patches[b:], sure[:b], gap.transpose(1, 2))):
        nearest, index = distance.min(dim=2)
        target = torch.take_along_dim(theirs, index[:, :, None], dim=1)
        each = -(target * F.log_softmax(mine / 0.1, dim=-1)).sum(-1)
        overlap = (nearest < reach).float()
        loss = loss + (each * overlap).sum() / overlap.sum().clamp_min(1)
    return loss


@torch.no_grad()
def _balanced(logits: Tensor) -> Tensor:
    """Sinkhorn-Knopp: rows are distributions, columns are used alike. [n, k] → [n, k]."""
    q = (logits - logits.amax()).exp()
    for _ in range(3):
        q = q / q.sum(dim=0, keepdim=True).clamp_min(1e-12)
        q = q / q.sum(dim=1, keepdim=True).clamp_min(1e-12)
    return q
