"""Words of the page: ``strings/*.toml``, one file a language, and the few things that are the same in all."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import streamlit as st

from rater import session
from zgbench.errors import ZgbenchError

FALLBACK = "en"
SCORES = range(4)

EXAMPLE = ("mini", "val_0145", "car")
"""Data set, image and class of the segment in the instructions."""

SKIP = ("b", "n", "w", "p", "x")
"""Keys of the reasons for skipping. The store keeps the reason in English, whatever was read."""

VIEWS = (("outline", "O"), ("dimmed", "D"), ("zoom", "E"))
"""Views and their keys."""

BREAK_S = 20 * 60
"""After so much rating without a pause, a break is suggested."""


@cache
def languages() -> dict[str, dict[str, str]]:
    """Code → key such as ``rate.skip`` → text."""
    found = {}
    for file in sorted(Path(__file__).with_name("strings").glob("*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        flat = {name: text for name, text in content.items() if isinstance(text, str)}
        for section, texts in content.items():
            if not isinstance(texts, str):
                flat |= {f"{section}.{name}": text for name, text in texts.items()}
        found[file.stem] = flat
    return found


def language() -> str:
    """What the visitor chose, else what the study is in, else what the browser asks for, else English."""
    try:
        wanted = session.store().settings.language
    except ZgbenchError:  # even that the store is out of reach must be said in some language
        wanted = ""
    for code in (st.session_state.get("language"), wanted, (st.context.locale or "").partition("-")[0].lower()):
        if code in languages():
            return str(code)
    return FALLBACK


def t(key: str, **values: object) -> str:
    """A text in the visitor's language."""
    return languages()[language()][key].format(**values)


def english(key: str) -> str:
    """A text in English, for what is stored."""
    return languages()[FALLBACK][key]


def choose_language() -> None:
    """A choice of language, where there are several."""
    known = languages()
    st.selectbox(
        t("sign_in.choose"), list(known), index=list(known).index(language()), width=160, key="language-box",
        format_func=lambda code: known[code]["language"], on_change=_choose,
    )  # fmt: skip


def _choose() -> None:
    st.session_state["language"] = st.session_state["language-box"]
