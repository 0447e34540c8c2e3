"""The pages of the project, taken apart: links, anchors, fenced blocks with the reason why one is not run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
GLOBS = ("*.md", "docs/**/*.md", "*/README.md", "reference_method/*/README.md", ".github/**/*.md")
_MADE = ("build", "dist", "results")
PAGES = sorted(
    page
    for page in {path.relative_to(ROOT).as_posix() for glob in GLOBS for path in ROOT.glob(glob)}
    if page.partition("/")[0] not in _MADE and (page[0] != "." or page.startswith(".github/"))
)
_NOT_RUN = re.compile(r"<!-- not run: (\S.*?) -->")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: where it begins, from 1.
        language: the word behind the fence.
        not_run: the reason in the comment above it, if there is one.
    """

    line: int
    language: str
    code: str
    not_run: str | None


def text_of(page: str) -> str:
    """What a page says."""
    return (ROOT / page).read_text(encoding="utf-8")


def _tokens(page: str) -> list[Token]:
    return _MARKDOWN.parse(text_of(page))


def blocks(page: str) -> list[Block]:
    """Fenced blocks, in order; MyST's directives (``{toctree}``) are none."""
    found, reason = [], None
    for token in _tokens(page):
        if token.type == "html_block" and (match := _NOT_RUN.fullmatch(token.content.strip())):
            reason = match[1]
            continue
        if token.type == "code_block":
            raise AssertionError(f"{page}: an indented block; write it between fences")
        if token.type == "fence" and not token.info.startswith("{"):
            assert token.map is not None
            found.append(Block(token.map[0] + 1, token.info.strip(), token.content, reason))
        reason = None
    return found


def links(page: str) -> list[str]:
    """Targets of links and pictures."""
    inline = [child for token in _tokens(page) for child in token.children or []]
    return [str(token.attrs[kind]) for token in inline for kind in ("href", "src") if kind in token.attrs]


def anchors(page: str) -> set[str]:
    """Names of a page's headings, as the usual viewers make them."""
    seen: Counter[str] = Counter()
    found = set()
    tokens = _tokens(page)
    for opening, inside in pairwise(tokens):
        if opening.type == "heading_open":
            shown = "".join(t.content for t in inside.children or [] if t.type in ("text", "code_inline"))
            name = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return found
