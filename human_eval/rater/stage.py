"""What an item looks like: its question, label, picture, and the buttons under it.

Every button is named after the ticket of the item that it stands for: a second click on a button that has gone is a click
on nothing, never on the next item. All parts keep their places from item to item.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from rater.pictures import picture, words
from rater.texts import VIEWS, t
from rater.trouble import button
from zgbench.errors import DataError
from zgbench.ratings import Item
from zgbench.ratings.picture import View
from zgbench.submission.problems import quote

_SIZES = ((24, "label"), (70, "long-label"))
"""Most characters of a label that is shown so large; longer ones are smaller still, so that all have one height."""


def view() -> View:
    """The chosen view; it stays from item to item."""
    chosen: View = st.session_state.setdefault("view", "outline")
    return chosen


def plain(text: str) -> str:
    """A stranger's text with control, bidi and other invisible characters written out."""
    return quote(text, 200)[1:-1]


def show_label(text: str) -> None:
    """The label, as plain text, in a place of fixed height."""
    shown = plain(text)
    with st.container(key=next((key for most, key in _SIZES if len(shown) <= most), "longest-label")):
        st.text(shown, width="stretch", text_alignment="center")


def show_item(item: Item) -> None:
    """Question, label, picture and the choice of view."""
    st.caption(t("item.question"), text_alignment="center")
    show_label(words(item))
    with st.container(key="picture"):
        try:
            st.image(picture(item, view()), width="stretch", alt=t("item.alt"))
            with st.container(key="bare"):  # over it, seen while it is held
                st.image(picture(item, view(), marked=False), width="stretch", alt="")
        except DataError:
            st.error(t("item.broken"), icon=":material/broken_image:")
    with st.container(key="views", horizontal=True, horizontal_alignment="center"):
        for name, _ in VIEWS:
            chosen = "primary" if name == view() else "secondary"
            st.button(t(f"view.{name}"), key=f"view-{name}", type=chosen, on_click=_look, args=(name,))
        st.button(t("view.bare"), key="view-bare")  # held, never pressed: see desk.js


def preload(item: Item | None) -> None:
    """Let the browser fetch the picture that comes next."""
    with st.container(key="ahead"):
        if item is not None:
            try:
                st.image(picture(item, view()), alt="")
            except DataError:
                return  # told when it is shown


def show_scores(ticket: str, answer: Callable[[int], None], *, disabled: bool = False) -> None:
    """Four buttons."""
    with st.container(key="scores"):
        for score, column in enumerate(st.columns(4)):
            button(
                column, f"{score} · {t(f'scores.{score}')}", answer, score, key=f"score-{score}-{ticket}",
                width="stretch", disabled=disabled,
            )  # fmt: skip


def _look(name: View) -> None:
    st.session_state["view"] = name
