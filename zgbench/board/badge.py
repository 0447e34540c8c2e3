"""A badge for a project page: a small SVG that needs nothing beside it."""

from __future__ import annotations

import html
from typing import Any

from zgbench.board.entry import SCORES
from zgbench.board.ranking_text import percent, plain, rank_of
from zgbench.board.store import Group

_LETTER, _PAD, _HEIGHT = 6.6, 7, 20
"""Pixels of a letter of 11 pixels on average, beside the text, and of the whole."""


def badge(row: dict[str, Any], group: Group, score: str) -> str:
    """Rank, score and data set of a row of a ranking by this score, as an SVG text."""
    rank = "" if row["rank"] is None else f"rank {rank_of(row)}, "
    return _svg(f"zgbench {plain(group.dataset, 30)}", f"{rank}{SCORES[score]} {percent(row[score])} %")


def _svg(left: str, right: str) -> str:
    a, b = (round(len(text) * _LETTER + 2 * _PAD) for text in (left, right))
    told = html.escape(f"{left}: {right}")
    texts = "".join(
        f'<text x="{middle:g}" y="14" textLength="{width - 2 * _PAD}" lengthAdjust="spacingAndGlyphs">{html.escape(text)}</text>'
        for text, middle, width in ((left, a / 2, a), (right, a + b / 2, b))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{a + b}" height="{_HEIGHT}" role="img" aria-label="{told}">'
        f'<title>{told}</title><rect width="{a + b}" height="{_HEIGHT}" rx="3" fill="#2f5fd0"/>'
        f'<rect width="{a}" height="{_HEIGHT}" rx="3" fill="#1c2330"/><rect x="{a - 3}" width="3" height="{_HEIGHT}" fill="#1c2330"/>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{texts}</g></svg>\n'
    )
