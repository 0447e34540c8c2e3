"""``zgbench leaderboard add | check | export | serve | token``, as seen from a terminal."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zgbench.errors import UsageError

if TYPE_CHECKING:
    from zgbench.board.store import Board


def _board(options: argparse.Namespace) -> Path:
    from zgbench.board.store import default_folder

    return Path(options.board) if options.board else default_folder()


def _tell_left_out(board: Board) -> None:
    for problem in board.problems:
        print(f"left out: {problem}", file=sys.stderr)


def add(options: argparse.Namespace) -> int:
    """``zgbench leaderboard add``."""
    from zgbench.board.add import add as run
    from zgbench.board.store import folder_to_fill
    from zgbench.cli.commands import workers_of
    from zgbench.cli.console import Progress
    from zgbench.cli.render import percent

    board = Path(options.board) if options.board else folder_to_fill()
    with Progress() as progress:
        place = run(
            options.submission, board, data=options.data, protocol=options.protocol, ratings=options.ratings,
            reassign=options.reassign.split(",") if options.reassign is not None else None,
            scores=options.scores, stem=options.stem, kind=options.kind, replace=options.replace, unofficial=options.unofficial,
            keep=not options.no_copy, workers=workers_of(options),
            truth_dir=options.truth_dir, png_order=options.png_order, progress=progress,
        )  # fmt: skip
    result = json.loads(place.read_text(encoding="utf-8"))
    for row in result["scores"]:
        score = row["iou_image"]
        print(f"{row['reassign']} {row['verify']}: mIoU image {percent(score['value'], *score['ci95'])}")
    if result["tgq"] is not None:
        print(f"TGQ {percent(result['tgq']['value'], *result['tgq']['ci95'])}")
    for name, why in result["unavailable"].items():
        print(f"not scored: {name}: {why}", file=sys.stderr)
    print(f"stored: {place}")
    return 0


def check(options: argparse.Namespace) -> int:
    """``zgbench leaderboard check``."""
    from zgbench.board.rescore import differences
    from zgbench.board.store import load_board
    from zgbench.cli.console import Progress
    from zgbench.errors import InputError

    with Progress() as progress:
        board = load_board(_board(options), anew=True, progress=progress)
    wrong, missing, hidden = list(board.problems), 0, {entry.id for entry in board.hidden}
    seen: dict[tuple[str, str], str] = {}
    for entry in (*board.entries, *board.hidden):
        found = []
        for row in entry.rows:
            first = seen.setdefault((entry.submission_sha256, row.signature), entry.id)
            if first != entry.id:
                found.append(f"the same submission under the same signature as {first}: it counts once")
        if options.rescore and entry.id not in hidden:
            try:
                again = differences(board, entry, options.data)
            except InputError as error:
                again = [str(error)]
            missing += again is None
            found += again or []
        wrong += [f"{entry.id}: {line}" for line in dict.fromkeys(found)]
        print(f"{entry.id}: {'NOT SOUND' if found or entry.id in hidden else 'sound'}")
    if options.rescore and missing:
        print(f"not rescored, their submissions are not at hand: {missing}", file=sys.stderr)
    if wrong:
        raise InputError(f"{len(wrong)} things are wrong with {board.folder}\n  " + "\n  ".join(wrong))
    return 0


def export(options: argparse.Namespace) -> int:
    """``zgbench leaderboard export``."""
    from zgbench.board.static import export_static
    from zgbench.board.store import load_board
    from zgbench.cli.console import Progress

    with Progress() as progress:
        board = load_board(_board(options), progress=progress)
    _tell_left_out(board)
    for place in export_static(board, Path(options.folder)):
        print(place)
    return 0


def serve(options: argparse.Namespace) -> int:
    """``zgbench leaderboard serve``."""
    from zgbench import pages
    from zgbench.board.store import folder_to_fill, load_board
    from zgbench.cli.console import Progress

    board = (folder_to_fill() if options.submit and not options.board else _board(options)).resolve()
    if not board.is_dir():
        raise UsageError(f"--board {board}: there is no such folder. Fill one with: zgbench leaderboard add SUBMISSION --board {board}")  # fmt: skip
    with Progress() as progress:  # what is checked now, no visitor waits for
        _tell_left_out(load_board(board, progress=progress))
    environment = {"ZGBENCH_BOARD": str(board)}
    if options.data:
        environment["ZGBENCH_DATA"] = str(Path(options.data).resolve())
    if options.submit:
        environment["ZGBENCH_SUBMIT"] = str(Path(options.submit).resolve())
        environment["ZGBENCH_SUBMIT_PROTOCOL"] = options.protocol or ""
        _tell_offers(environment.get("ZGBENCH_DATA") or os.environ.get("ZGBENCH_DATA"), options.protocol)
    elif options.protocol:
        raise UsageError("--protocol is about uploads. Give --submit DIR as well, or leave it out.")
    return pages.serve(
        "leaderboard", options.port, environment, address=options.address, upload_mb=options.upload_mb, toolbar="viewer"
    )


def _tell_offers(data: str | None, protocol: str | None) -> None:
    """What uploads can get from this server, as its pages will say."""
    from zgbench.board.offer import NO_FILES, offers

    for offer in offers(Path(data) if data else None, protocol):
        lacking = "".join(f"; not {how}: {why}" for how, why in offer.lacking.items())
        if offer.rows:
            print(f"uploads: {offer.dataset} is scored by {', '.join(offer.rows)} under {offer.protocol}{lacking}")
        elif offer.why != NO_FILES:
            print(f"uploads: {offer.dataset} is not scored: {offer.why}{lacking}")


def token(options: argparse.Namespace) -> int:
    """``zgbench leaderboard token``."""
    from zgbench.board.queue import Queue

    print(Queue(Path(options.submit)).make_token(options.name))
    return 0
