"""Options of ``zgbench reference``."""

from __future__ import annotations

import argparse
from typing import Any

from zgbench.cli.models_parser import models_option
from zgbench.cli.options import KEYS_TOLD, Lazy, add_data, add_engine


def add_reference(commands: Any, lazy: Lazy) -> None:
    """``zgbench reference``."""
    p = commands.add_parser("reference", help="run the reference method of the ICCV 2023 paper, or measure it")
    p.set_defaults(needs="reference")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    run = actions.add_parser(
        "run",
        help="make a submission on a data set, or label photos of your own",
        description="Make a submission on a data set (--dataset, --out), or label photos of your own: beside each, or in "
        "--out, NAME.segments.png (to look at), NAME.segments.json (as a submission) and NAME.label_map.png (values: "
        "segments in that order, from 1) are written. A photo that cannot be read costs itself and the exit status "
        "(2). A run on a data set that was stopped goes on where it was.",
    )
    run.add_argument("photos", nargs="*", metavar="PHOTO", help="photos to segment and label, or folders of photos")
    run.add_argument("--dataset", metavar="KEY", help=f"work on a data set: {KEYS_TOLD}")
    run.add_argument(
        "--out", metavar="FILE", help="submission to write: .json, .json.gz or .parquet; with PHOTO a folder"
    )
    add_data(run)
    run.add_argument("--subset", metavar="first:N|random:N:SEED", help="of the data set")
    run.add_argument("--track", choices=("free", "oracle"), default="free", help="oracle: name the truth's segments")
    run.add_argument(
        "--preset",
        choices=("paper", "released", "mini"),
        help="of models and constants (default: paper, on mini: mini); released: as the paper's published code, see "
        "docs/reference-method.md",
    )
    run.add_argument(
        "--set",
        action="append",
        metavar="NAME=VALUE",
        help="change a setting, such as merge=none, encoder.mode=crop, criterion=ward, language=smollm2-135m",
    )
    run.add_argument("--method", choices=("reference", "groupvit"), default="reference", help="groupvit: the baseline")
    run.add_argument("--name", metavar="TEXT", help="of the submission")
    run.add_argument("--keep-going", action="store_true", help="skip images that cannot be read, and say so")
    run.add_argument(
        "--batch", type=int, metavar="N", help="images named together (default: 1; 8 with mini's models, 16 on a GPU)"
    )
    models_option(run)
    add_engine(run, "ray: replicas on a Ray cluster")
    _device(run)
    _threads(run)
    run.set_defaults(run=lazy("reference_method.cli:run"))
    bench = actions.add_parser(
        "bench",
        help="measure it against the plain way, with random weights",
        description="Measure segment embeddings and ZeroCap against the plain way in one run, and the time by stage.",
    )
    bench.add_argument(
        "--size", choices=("mini", "small", "full"), default="small", help="of the models (default: small)"
    )
    bench.add_argument("--segments", type=int, default=20, metavar="N", help="in an image (default: 20)")
    bench.add_argument("--runs", type=int, default=3, metavar="N", help="of each (default: 3)")
    bench.add_argument(
        "--before",
        metavar="CHECKOUT",
        help="another state of zgbench, from commit e87225b on, that does the same in turn",
    )
    _device(bench)
    _threads(bench)
    bench.set_defaults(run=lazy("reference_method.cli:bench"))


def _threads(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="on the CPU, all replicas together (default: the processors that are free)",
    )


def _device(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--device", metavar="DEVICES", help="cpu, mps (Apple), or cuda:0,cuda:1 (default: every GPU, else the CPU)"
    )
    p.add_argument("--precision", choices=("fp32", "bf16", "fp16"), help="(default: bf16 on a GPU, fp32 on a CPU)")
