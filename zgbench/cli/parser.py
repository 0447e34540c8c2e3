"""Options of every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any

from zgbench.cli.finishing import finish
from zgbench.cli.leaderboard_parser import add_leaderboard
from zgbench.cli.mapping_parser import add_mapping
from zgbench.cli.models_parser import add_models, models_option
from zgbench.cli.options import DATA_TOLD, KEYS_TOLD, PROTOCOLS, add_data, add_engine, add_workers
from zgbench.cli.ratings_parser import add_rate, add_ratings
from zgbench.cli.reference_parser import add_reference
from zgbench.cli.reproduce import add_reproduce
from zgbench.cli.scores_parser import add_scores, scores_option
from zgbench.cli.upkeep_parser import add_upkeep
from zgbench.version import __version__

FORMATS = ("table", "markdown", "latex", "csv", "json")


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``zgbench``."""
    parser = argparse.ArgumentParser(
        prog="zgbench",
        description="The benchmark for zero-guidance segmentation: free-text segments, mapped to classes, verified and scored.",
    )
    parser.add_argument("--version", action="version", version=f"zgbench {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    _evaluate(commands)
    _validate(commands)
    _compare(commands)
    add_reproduce(commands, _lazy)
    add_scores(commands, _lazy)
    _convert(commands)
    add_mapping(commands, _lazy, PROTOCOLS)
    _datasets(commands)
    add_reference(commands, _lazy)
    add_models(commands, _lazy)
    add_rate(commands, _lazy)
    add_ratings(commands, _lazy, add_data)
    add_leaderboard(commands, _lazy)
    add_upkeep(commands, _lazy)
    finish(parser)
    return parser


def _lazy(place: str) -> Callable[[argparse.Namespace], int]:
    module, _, function = place.rpartition(":")
    return lambda options: import_module(module).__dict__[function](options)


def _evaluate(commands: Any) -> None:
    p = commands.add_parser(
        "evaluate",
        help="score a submission",
        description="Score a submission: IoU, Segment Recall and (track oracle) Text Generation Quality, with 95 % intervals. "
        "Writes SUBMISSION's result, statistics and per-class files to --out.",
    )
    p.add_argument(
        "submissions",
        nargs="+",
        metavar="SUBMISSION",
        help="a .json, .json.gz or .parquet file, see submissions/README.md; several are scored in turn, with one load of the models",
    )
    add_data(p)
    models_option(p)
    p.add_argument("--protocol", choices=PROTOCOLS, help="preset of rules (default: v1, on mini: mini)")
    p.add_argument(
        "--reassign",
        metavar="tt,lt,st",
        help="reassignments to score: text to text, by the lexicon, segment to text; what is named here must be possible "
        "(default: what is possible)",
    )
    p.add_argument(
        "--mapping", metavar="FILE.csv", help="reassign by a table with the columns label and class (see mapping new)"
    )
    p.add_argument(
        "--ratings",
        metavar="URL",
        help="human ratings, a store or a .csv or .parquet file: adds the rows h>=1, h>=2, h>=3",
    )
    p.add_argument(
        "--human",
        choices=("median", "mean", "min", "majority"),
        help="how an item's ratings become one (default: median)",
    )
    p.add_argument(
        "--partial", action="store_true", help="score the images that the submission has; marked as not official"
    )
    p.add_argument("--subset", metavar="first:N|random:N:SEED", help="score a subset; part of the signature")
    p.add_argument(
        "--background",
        choices=("count", "ignore", "released"),
        help="rule for unlabelled pixels (default: the protocol's)",
    )
    scores_option(p)
    p.add_argument("--scoring", choices=("v1", "iccv2023"), help="definitions of the scores (default: the protocol's)")
    p.add_argument(
        "--tau-text", type=float, metavar="COSINE", help="from which a TT reassignment is kept (default: 0.5)"
    )
    p.add_argument(
        "--tau-clip", type=float, metavar="COSINE", help="from which an ST reassignment is kept (default: 0.1)"
    )
    p.add_argument("--seed", type=int, metavar="N", help="of the bootstrap (default: 0)")
    p.add_argument("--resamples", type=int, metavar="N", help="of the bootstrap (default: 1000)")
    p.add_argument("--out", default="results", metavar="DIR", help="folder for result files (default: results)")
    p.add_argument(
        "--replace", action="store_true", help="write over a result of another submission or signature of the same name"
    )
    p.add_argument("--format", choices=FORMATS, default="table", help="of what is printed (default: table)")
    p.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    add_workers(p)
    add_engine(p, "ray: the pixels of a Parquet submission are counted on a Ray cluster")
    p.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="of the text and segment models on the CPU (default: the free processors)",
    )
    p.set_defaults(run=_lazy("zgbench.cli.commands:evaluate"))


def _validate(commands: Any) -> None:
    p = commands.add_parser(
        "validate",
        help="check a submission",
        description="Check a submission and report every problem. Without data, everything is checked but the truth's sizes.",
    )
    p.add_argument("submission", metavar="SUBMISSION")
    add_data(p)
    p.add_argument("--partial", action="store_true", help="images may be missing")
    p.add_argument("--json", action="store_true", help="print JSON, of a rejection too")
    add_workers(p)
    p.set_defaults(run=_lazy("zgbench.cli.commands:validate"))


def _compare(commands: Any) -> None:
    p = commands.add_parser(
        "compare",
        help="compare two results or more",
        description="Paired differences A − B with 95 % intervals and p-values, of more than two results for each pair, "
        "with p corrected for the number of pairs (Holm). Rows of unlike signatures are refused.",
    )
    p.add_argument("a", metavar="A.result.json")
    p.add_argument("b", metavar="B.result.json")
    p.add_argument("others", nargs="*", metavar="C.result.json")
    p.add_argument("--per-class", action="store_true", help="compare each class too")
    scores_option(p)
    p.add_argument(
        "--power",
        action="store_true",
        help="the smallest difference that would be found in 80 %% of cases, and how many images it takes to find the one seen",
    )
    p.add_argument("--format", choices=FORMATS, default="table", help="of what is printed (default: table)")
    p.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    p.set_defaults(run=_lazy("zgbench.cli.commands:compare"))


def _convert(commands: Any) -> None:
    p = commands.add_parser(
        "convert",
        help="change a submission's format, or make one from what you have",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="IN: a submission of any format; a folder of label maps (PNG, .npy, .npz, .tif) or of RGB maps with a legend; a\n"
        "COCO-panoptic folder; COCO results or annotations (.json); a folder with a JSON of masks for each image.\n"
        "OUT: .json, .json.gz or .parquet. Each kind with an example: docs/convert.md.",
        epilog="examples:\n"
        "  zgbench convert maps/ mine.parquet --name m --dataset pas20 --labels labels.json\n"
        "  zgbench convert maps/ mine.parquet --name m --dataset pc59 --labels pc59-alphabetical --first 0    # 0 = aeroplane\n"
        "  zgbench convert coco_panoptic/ mine.parquet --name m --dataset pas20\n"
        "  zgbench convert results.json mine.parquet --name m --dataset pas20 --annotations val.json --overlap score",
    )
    p.add_argument("source", metavar="IN")
    p.add_argument("target", metavar="OUT")
    p.add_argument("--name", help="the method's name")
    p.add_argument("--dataset", metavar="KEY", help=f"the data set: {KEYS_TOLD}")
    p.add_argument(
        "--labels",
        metavar="FILE|CLASSES",
        help="what values or masks mean: a .json ({image id: {value: label}}, {image id: [label, …]} or {value: label}), .csv (image_id, value, label) or "
        ".txt (a class a line), or a class list: pas20, pc59-alphabetical, pc59-official, pc459, ade150, ade847, cityscapes19, coco133, cocostuff171",
    )
    p.add_argument(
        "--first",
        type=int,
        metavar="N",
        help="label maps: number of the first class of the list (default: as the data set numbers them); 0 where 0 is a class",
    )
    p.add_argument(
        "--background",
        type=_values,
        metavar="N[,N…]|none",
        help="label maps: values that lie in no segment (default: 0, and 255 with a class list); none: all lie in one",
    )
    p.add_argument(
        "--legend",
        metavar="FILE",
        help="RGB maps: what colours mean, .json ({label: [r, g, b]}), .csv or CVAT's labelmap.txt; pas20: VOC's colours",
    )
    p.add_argument(
        "--palette",
        choices=("auto", "index"),
        default="auto",
        help="palette PNGs: index takes indices for values, whatever the colours (default: the colours decide)",
    )
    p.add_argument(
        "--annotations", metavar="FILE", help="COCO: a .json with the images and categories that IN leaves out"
    )
    p.add_argument(
        "--overlap",
        choices=("error", "score", "order", "smallest"),
        default="error",
        help="who keeps the pixels that masks share: the one with the higher score, the first, or the smallest (default: error)",
    )
    p.add_argument("--resize", choices=("nearest",), help="bring masks of another size to the truth's (with --data)")
    p.add_argument(
        "--tags",
        choices=("first", "join"),
        help="several tags for one segment: the first counts, or join them with commas",
    )
    p.add_argument(
        "--data", metavar="DIR", help="folder that holds VOCdevkit/ and pascal-context/: compare sizes with the truth's"
    )
    p.set_defaults(run=_lazy("zgbench.cli.commands:convert"))


def _values(text: str) -> tuple[int, ...]:
    if text == "none":
        return ()
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected whole numbers or none, found {text!r}") from None


def _datasets(commands: Any) -> None:
    p = commands.add_parser("datasets", help="what the test sets need, and whether it is there")
    actions = p.add_subparsers(title="actions", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="the test sets and their archives")
    listed.add_argument("--data", metavar="DIR", help="lists your own data sets there as well (default: $ZGBENCH_DATA)")
    listed.set_defaults(run=_lazy("zgbench.cli.datasets:list_all"))
    check = actions.add_parser(
        "check", help="what was found, what is missing, which archive holds it and where it must lie"
    )
    check.add_argument(
        "key",
        nargs="?",
        metavar="DATASET",
        help=f"{KEYS_TOLD} (default: all, or the one whose dataset.toml lies in DIR)",
    )
    check.add_argument("--data", metavar="DIR", help=DATA_TOLD)
    check.set_defaults(run=_lazy("zgbench.cli.datasets:check"))
    new = actions.add_parser(
        "new",
        help="write a dataset.toml for photos and masks of your own",
        description="Look at a folder of photos and masks (PNG, .npy or COCO panoptic) and write its dataset.toml: what was "
        "seen, what was guessed, and what to fill in. See docs/datasets.md.",
    )
    new.add_argument("folder", metavar="DIR", help="folder of the data set; dataset.toml is written into it")
    new.add_argument("--key", metavar="KEY", help="what submissions name (default: the folder's name)")
    new.set_defaults(run=_lazy("zgbench.cli.datasets:new"))
    prepare = actions.add_parser("prepare", help="write a compact store, so that raw files are not needed again")
    prepare.add_argument("key", metavar="DATASET", help=KEYS_TOLD)
    prepare.add_argument(
        "--out", metavar="DIR", help="data folder to write zgbench-store/ into (default: the data folder itself)"
    )
    add_data(prepare)
    prepare.set_defaults(run=_lazy("zgbench.cli.datasets:prepare"), needs="store")
