"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Lazy = Callable[[str], Callable[[argparse.Namespace], int]]
KEYS = ("pas20", "pc59", "pc459", "mini", "ade150", "ade847", "cityscapes19", "coco133", "cocostuff171")
PROTOCOLS = ("v1", "iccv2023", "offline", "mini")
KEYS_TOLD = f"one of {', '.join(KEYS)}, or the key in a dataset.toml of your own"
DATA_TOLD = (
    "folder that holds VOCdevkit/, pascal-context/ and so on as they unpack, a prepared store, or a dataset.toml of your "
    "own (default: $ZGBENCH_DATA); mini needs none"
)


def add_data(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--data",
        metavar="DIR",
        help=DATA_TOLD,
    )
    p.add_argument("--truth-dir", metavar="DIR", help="truth PNGs in another place; for pc59 with --png-order")
    p.add_argument(
        "--png-order",
        choices=("alphabetical", "official"),
        help="class order of PC-59 PNGs, which nothing inside a PNG tells",
    )


def add_engine(p: argparse.ArgumentParser, ray: str) -> None:
    p.add_argument("--engine", choices=("local", "ray"), default="local", help=ray)
    p.add_argument("--ray-address", metavar="ADDRESS", help="of the cluster (default: one started for this run)")


def add_address(p: argparse.ArgumentParser, port: int) -> None:
    """Where a page listens."""
    p.add_argument("--port", type=int, default=port, metavar="N", help=f"(default: {port})")
    p.add_argument(
        "--address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="of this machine, to listen on (default: 127.0.0.1, which nobody else reaches); 0.0.0.0: all, in plain HTTP",
    )


def add_workers(p: argparse.ArgumentParser) -> None:
    p.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each processor)")
