"""Scores the submissions of this folder into the board that ships with zgbench: one command after a change of a score.

    python submissions/make_board.py                  # mini
    python submissions/make_board.py --data DIR       # and PAS-20's baselines and ceilings, made from the truth in DIR

Every mapping of labels is scored that can be had; those of PAS-20 by text only (TT and LT, which need no photo), under
``v1`` and ``offline``. ``v1`` wants all-mpnet-base-v2: ``zgbench models fetch``, or ``ZGBENCH_MODELS``. What cannot be
scored is told, and what the board has of it stays as it is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from make_baselines import Simple, file_of, make, simple_ones

import zgbench
from zgbench.board.add import add
from zgbench.board.kinds import Kind
from zgbench.board.store import default_folder
from zgbench.errors import ModelUnavailable
from zgbench.submission.reader import SUFFIXES, stem_of

HERE = Path(__file__).resolve().parent
TEXT = ["tt", "lt"]
PROTOCOLS = ("v1", "offline")


def mini(board: Path) -> None:
    """Everything here about mini, under its own protocol."""
    kinds: dict[str, Kind] = {simple.stem: simple.kind for simple in simple_ones(zgbench.open_dataset("mini"))}
    kinds["demo"] = "baseline"
    for file in sorted(HERE.iterdir()):
        if file.name.endswith(SUFFIXES) and not file.name.startswith("pas20-"):
            print(add(file, board, kind=kinds.get(stem_of(file), "method"), replace=True), flush=True)


def pas20(board: Path, data: str) -> bool:
    """The simple submissions of PAS-20, made where they are not there, under every text mapping; False where one could not be had."""
    with tempfile.TemporaryDirectory() as counts:  # pixels are counted once, for all protocols
        scored = [_pas20(simple, board, data, counts) for simple in simple_ones(zgbench.open_dataset("pas20", data))]
    return all(scored)


def _pas20(simple: Simple, board: Path, data: str, counts: str) -> bool:
    file, whole = file_of(simple, "pas20"), True
    if not file.exists():
        make(simple, zgbench.open_dataset("pas20", data))
    for protocol in PROTOCOLS:
        for hows in (TEXT, *([how] for how in TEXT if len(TEXT) > 1)):  # all of them, or each that can be had
            try:
                place = add(
                    file, board, data=data, protocol=protocol, reassign=hows, stem=simple.stem, kind=simple.kind,
                    replace=True, keep=False, out=counts,
                )  # fmt: skip
            except ModelUnavailable as error:
                print(f"not scored: {simple.stem}, {protocol}, {','.join(hows)}: {error}", file=sys.stderr)
                whole = False
            else:
                print(place, flush=True)
                if hows == TEXT:
                    break
    return whole


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", help="folder that holds VOCdevkit/ with the truth of PAS-20; without it, mini only")
    parser.add_argument("--board", type=Path, help="default: that of this checkout")
    parser.add_argument("--only", choices=("mini", "pas20"))
    options = parser.parse_args()
    board = options.board or default_folder()
    if options.only != "pas20":
        mini(board)
    return 0 if options.only == "mini" or not options.data or pas20(board, options.data) else 1


if __name__ == "__main__":
    sys.exit(main())
