"""One item after the other. What is before a rater, and what they answered, is in the store: a refresh shows the same."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rater import desk, instructions, session
from rater.stage import preload, show_item, show_scores
from rater.texts import BREAK_S, SKIP, choose_language, english, t
from rater.trouble import button, guarded
from zgbench.ratings import Item, Outcome, Progress, Rater


def show(rater: Rater) -> None:
    """The item that is before this rater."""
    state = st.session_state
    if "item" not in state:
        state["item"] = session.store().next_item(rater)
        state["ahead"] = session.store().peek(rater) if state["item"] is not None else None
    item: Item | None = state["item"]
    progress = session.store().progress(rater)
    _show_progress(progress)
    if item is None:
        _show_end(progress)
        return
    skipping = state.get("skipping") == item.ticket
    show_item(item)
    show_scores(item.ticket, partial(_rate, item.ticket), disabled=skipping)
    writing = state.get("commenting") == item.ticket
    desk.show(item.ticket, writing=writing)
    with st.container(key="others", horizontal=True, horizontal_alignment="center"):
        if skipping:
            _show_reasons(item)
        else:
            _show_others(item, progress)
    if writing:
        _show_comment(item)
    with st.container(key="notices"):
        if progress.unbroken_s >= BREAK_S:
            st.info(t("rate.break", minutes=f"{progress.unbroken_s / 60:.0f}"), icon=":material/coffee:")
    _show_help()
    preload(state["ahead"])


def _show_progress(progress: Progress) -> None:
    done = progress.answered + progress.cannot_tell + progress.skipped
    total = done + progress.left
    values: dict[str, object] = {"done": done, "left": progress.left}
    if progress.seconds_left is not None and progress.left:
        text = t("rate.time", minutes=max(1, round(progress.seconds_left / 60)), **values)
    else:
        text = t("rate.done", **values)
    st.progress(done / total if total else 1.0, text)


def _show_others(item: Item, progress: Progress) -> None:
    button(st, t("rate.cannot"), _rate, item.ticket, "cannot_tell", key=f"cannot-{item.ticket}")
    button(st, t("rate.skip"), _ask, item.ticket, key=f"skip-{item.ticket}")
    button(st, t("rate.undo"), _undo, item.ticket, key=f"undo-{item.ticket}", disabled=not progress.can_undo)
    button(st, t("rate.comment"), _comment_on, item.ticket, key=f"comment-{item.ticket}")


def _show_reasons(item: Item) -> None:
    for key in SKIP:
        button(st, t(f"skip.{key}"), _skip, item.ticket, key, key=f"reason-{key}-{item.ticket}")
    button(st, t("skip.back"), _ask, None, key=f"back-{item.ticket}", shortcut="escape")


def _show_comment(item: Item) -> None:
    with st.form(f"comment-form-{item.ticket}", border=True):
        st.text_area(t("comment.label"), key="comment-text", max_chars=500, height=80)
        with st.container(horizontal=True):
            st.form_submit_button(t("comment.send"), key="comment-send", on_click=_comment, args=(item.id,))
            st.form_submit_button(t("comment.back"), key="comment-back", on_click=_comment_on, args=(None,))


def _show_end(progress: Progress) -> None:
    settings = session.store().settings
    given = progress.answered + progress.cannot_tell
    full = bool(settings.quota) and given >= settings.quota
    st.title(t("end.full" if full else "end.title"), anchor=False)
    st.write(t("end.full_thanks", n=given) if full else t("end.thanks"))
    if settings.code and given:
        with st.container(key="code"):
            st.write(t("end.code"))
            st.code(settings.code, language=None, wrap_lines=True)
    with st.container(horizontal=True):
        if not full:
            st.button(t("end.again"), key="look-again", shortcut="enter", type="primary", on_click=_look_again)
        button(st, t("rate.undo"), _undo, None, key="undo-end", disabled=not progress.can_undo)
        st.button(t("sign_in.out"), key="sign-out-end", on_click=guarded(session.leave))
    desk.show("end")


def _show_help() -> None:
    with st.expander(t("rate.help")):
        instructions.show()
        choose_language()
        st.button(t("sign_in.out"), key="sign-out", on_click=guarded(session.leave))


def _take(outcome: Outcome, stored: str) -> None:
    state = st.session_state
    state["item"], state["ahead"] = outcome.current, outcome.ahead
    state["skipping"] = state["commenting"] = None
    if outcome.accepted:
        desk.say(stored)
    elif outcome.reason:
        desk.say(t(f"said.{outcome.reason}"), refused=True)


def _rate(ticket: str, answer: int | str) -> None:
    rater = session.current()
    if rater is None:
        return
    if isinstance(answer, str):
        _take(session.store().rate(rater, ticket, "cannot_tell"), t("said.cannot"))
    else:
        stored = t("said.rated", score=answer, name=t(f"scores.{answer}"))
        _take(session.store().rate(rater, ticket, answer), stored)


def _skip(ticket: str, key: str) -> None:
    rater = session.current()
    if rater is not None:
        _take(session.store().skip(rater, ticket, english(f"skip.{key}")), t("said.skipped"))


def _undo(ticket: str | None) -> None:
    rater = session.current()
    if rater is not None:
        _take(session.store().undo(rater, ticket), t("said.undone"))


def _ask(ticket: str | None) -> None:
    st.session_state["skipping"] = ticket


def _comment_on(ticket: str | None) -> None:
    st.session_state["commenting"] = ticket


@guarded
def _comment(item_id: str) -> None:
    rater, text = session.current(), st.session_state["comment-text"]
    if rater is not None and text.strip():
        session.store().comment(rater, item_id, text)
        desk.say(t("said.commented"))
    st.session_state["commenting"] = None


def _look_again() -> None:
    st.session_state.pop("item", None)
