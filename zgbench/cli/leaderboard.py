"""``zgbench leaderboard add | check | export | serve | token``, as seen from a terminal."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from zgbench.errors import UsageError


def _board(options: argparse.Namespace) -> Path:
    from zgbench.board.store import default_folder

    return Path(options.board) if options.board else default_folder()


def add(options: argparse.Namespace) -> int:
    """``zgbench leaderboard add``."""
    from zgbench.board.add import add as run
    from zgbench.cli.commands import Progress, _workers
    from zgbench.cli.render import percent

    with Progress() as progress:
        place = run(
            options.submission, _board(options), data=options.data, protocol=options.protocol, ratings=options.ratings,
            reassign=options.reassign.split(",") if options.reassign is not None else None,
            stem=options.stem, replace=options.replace, keep=not options.no_copy, workers=_workers(options),
            truth_dir=options.truth_dir, png_order=options.png_order, progress=progress,
        )  # fmt: skip
    result = json.loads(place.read_text(encoding="utf-8"))
    for row in result["scores"]:
        score = row["iou_image"]
        print(f"{row['reassign']} {row['verify']}: IoU image {percent(score['value'], *score['ci95'])}")
    if result["tgq"] is not None:
        print(f"TGQ {percent(result['tgq']['value'], *result['tgq']['ci95'])}")
    for name, why in result["unavailable"].items():
        print(f"not scored: {name}: {why}", file=sys.stderr)
    print(f"stored: {place}")
    return 0


def check(options: argparse.Namespace) -> int:
    """``zgbench leaderboard check``."""
    from zgbench.board.checks import violations
    from zgbench.board.rescore import differences
    from zgbench.board.store import load_board
    from zgbench.errors import InputError

    board = load_board(_board(options))
    wrong, missing = list(board.problems), 0
    for entry in board.entries:
        try:
            found = violations(entry.stored())
            if options.rescore and not found:
                again = differences(board, entry, options.data)
                missing += again is None
                found = again or []
        except InputError as error:
            found = [str(error)]
        wrong += [f"{entry.id}: {line}" for line in found]
        print(f"{entry.id}: {'sound' if not found else 'NOT SOUND'}")
    if options.rescore and missing:
        print(f"not rescored, their submissions are not at hand: {missing}", file=sys.stderr)
    if wrong:
        raise InputError(f"{len(wrong)} things are wrong with {board.folder}\n  " + "\n  ".join(wrong))
    return 0


def export(options: argparse.Namespace) -> int:
    """``zgbench leaderboard export``."""
    from zgbench.board.static import export_static
    from zgbench.board.store import load_board

    for place in export_static(load_board(_board(options)), Path(options.folder)):
        print(place)
    return 0


def serve(options: argparse.Namespace) -> int:
    """``zgbench leaderboard serve``."""
    from zgbench import pages

    board = _board(options).resolve()
    if not board.is_dir():
        raise UsageError(f"--board {board}: there is no such folder. Fill one with: zgbench leaderboard add SUBMISSION --board {board}")  # fmt: skip
    environment = {"ZGBENCH_BOARD": str(board)}
    if options.data:
        environment["ZGBENCH_DATA"] = str(Path(options.data).resolve())
    if options.submit:
        environment["ZGBENCH_SUBMIT"] = str(Path(options.submit).resolve())
    return pages.serve("leaderboard", options.port, environment, upload_mb=options.upload_mb, toolbar="viewer")


def token(options: argparse.Namespace) -> int:
    """``zgbench leaderboard token``."""
    from zgbench.board.queue import Queue

    print(Queue(Path(options.submit)).make_token(options.name))
    return 0
