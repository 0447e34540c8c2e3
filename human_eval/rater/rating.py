"""One item after the other. What is before a rater, and what they answered, is in the store: a refresh shows the same."""

from __future__ import annotations

import time
from functools import partial

import streamlit as st

from rater import instructions, session
from rater.stage import preload, show_item, show_scores
from rater.texts import BREAK_S, SKIP
from rater.trouble import button, guarded
from zgbench.ratings import Item, Outcome, Progress, Rater

_REFUSED = {
    "too_soon": "Too quick to count: look at the picture first, then press again.",
    "expired": "That item had waited too long and went to somebody else. Here is another one.",
    "not_leased": "That item is no longer yours. Here is another one.",
    "nothing_to_undo": "There is nothing more to undo.",
}


def show(rater: Rater) -> None:
    """The item that is before this rater."""
    state = st.session_state
    if "item" not in state:
        state["item"] = session.store().next_item(rater)
        state["ahead"] = session.store().peek(rater) if state["item"] is not None else None
    item: Item | None = state["item"]
    progress = session.store().progress(rater)
    _show_progress(progress)
    if state.get("notice"):
        st.toast(state.pop("notice"), icon=":material/info:")
    if item is None:
        _show_end(progress)
        return
    if state.get("since", ("", 0.0))[0] != item.ticket:
        # an item that was before this rater already, before a refresh, has been looked at
        state["since"] = (item.ticket, time.monotonic() - min(item.seconds_shown, item.min_seconds))
    skipping = state.get("skipping") == item.ticket
    show_item(item)
    show_scores(item.ticket, partial(_rate, item.ticket), disabled=skipping)
    with st.container(key="others", horizontal=True, horizontal_alignment="center"):
        if skipping:
            _show_reasons(item)
        else:
            _show_others(item, progress)
    with st.container(key="notices"):
        if progress.unbroken_s >= BREAK_S:
            st.info(
                f"You have rated for {progress.unbroken_s / 60:.0f} minutes. A break of five minutes keeps ratings good; "
                "everything is kept.",
                icon=":material/coffee:",
            )
    _show_help()
    preload(state["ahead"])


def _show_progress(progress: Progress) -> None:
    done = progress.answered + progress.cannot_tell + progress.skipped
    total = done + progress.left
    st.progress(done / total if total else 1.0, f"{done} done, {progress.left} to go")


def _show_others(item: Item, progress: Progress) -> None:
    button(st, "Cannot tell", _rate, item.ticket, "cannot_tell", key=f"cannot-{item.ticket}", shortcut="t")
    button(st, "Skip", _ask, item.ticket, key=f"skip-{item.ticket}", shortcut="s")
    button(st, "Undo", _undo, item.ticket, key=f"undo-{item.ticket}", shortcut="z", disabled=not progress.can_undo)


def _show_reasons(item: Item) -> None:
    for key, reason in SKIP:
        button(st, reason, _skip, item.ticket, reason, key=f"reason-{key}-{item.ticket}", shortcut=key)
    button(st, "Do not skip", _ask, None, key=f"back-{item.ticket}", shortcut="escape")


def _show_end(progress: Progress) -> None:
    st.title("Nothing left to rate", anchor=False)
    st.write("Thank you. Items that others do not finish may come free later: look in again, or close the page.")
    with st.container(horizontal=True):
        st.button("Look again", key="look-again", shortcut="enter", type="primary", on_click=_look_again)
        button(st, "Undo", _undo, None, key="undo-end", shortcut="z", disabled=not progress.can_undo)
        st.button("Sign out", key="sign-out-end", on_click=guarded(session.leave))


def _show_help() -> None:
    with st.expander("What the scores mean, keys, sign out"):
        instructions.show()
        st.button("Sign out", key="sign-out", on_click=guarded(session.leave))


def _take(outcome: Outcome) -> None:
    state = st.session_state
    state["item"], state["ahead"], state["skipping"] = outcome.current, outcome.ahead, None
    if not outcome.accepted:
        state["notice"] = _REFUSED.get(outcome.reason, "")


def _rate(ticket: str, answer: int | str) -> None:
    rater = session.current()
    if rater is not None:
        shown, since = st.session_state.get("since", ("", 0.0))
        seen = time.monotonic() - since if shown == ticket else 0.0
        _take(session.store().rate(rater, ticket, "cannot_tell" if isinstance(answer, str) else answer, seen))


def _skip(ticket: str, reason: str) -> None:
    rater = session.current()
    if rater is not None:
        _take(session.store().skip(rater, ticket, reason))


def _undo(ticket: str | None) -> None:
    rater = session.current()
    if rater is not None:
        _take(session.store().undo(rater, ticket))


def _ask(ticket: str | None) -> None:
    st.session_state["skipping"] = ticket


def _look_again() -> None:
    st.session_state.pop("item", None)
