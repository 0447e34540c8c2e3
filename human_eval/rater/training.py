"""Practice: instructions, then rounds of items with our answers, until enough of a round is right. All is in the store."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rater import desk, instructions, session
from rater.stage import plain, show_item, show_scores
from rater.texts import choose_language, t
from rater.trouble import button, guarded
from zgbench.ratings import Practice, Rater, TrainingItem
from zgbench.ratings.known import reason


def show(rater: Rater) -> None:
    """The step that this rater is at."""
    practice = session.store().practice(rater)
    given = [item for item in practice.items if item.answer is not None]
    if not given and practice.round == 0 and not st.session_state.get("read"):
        _instructions(practice)
        return
    reviewed = next((item for item in given if item.item.id == st.session_state.get("review")), None)
    waiting = next((item for item in practice.items if item.answer is None), None)
    if reviewed is not None:
        _item(reviewed, len(given), len(practice.items))
    elif waiting is not None:
        _item(waiting, len(given) + 1, len(practice.items))
    else:
        _finished(practice)


def _instructions(practice: Practice) -> None:
    st.title(t("practice.title"), anchor=False)
    st.write(t("practice.what"))
    instructions.show()
    if practice.items:
        st.write(t("practice.more", n=len(practice.items), needed=practice.needed))
    words, then = (t("practice.start"), _read) if practice.items else (t("practice.skip"), _finish)
    st.button(words, key="read-it", type="primary", shortcut="enter", on_click=then)
    choose_language()


def _item(shown: TrainingItem, number: int, total: int) -> None:
    st.progress(number / total, t("practice.number", n=number, total=total))
    show_item(shown.item)
    if shown.answer is None:
        show_scores(f"training-{shown.item.id}", partial(_answer, shown.item.id))
        desk.show(shown.item.id)
        return
    desk.show(f"review {shown.item.id}")
    ours = {"score": shown.known, "name": t(f"scores.{shown.known}"), "yours": shown.answer}
    if shown.answer == shown.known:
        st.success(t("practice.same", **ours), icon=":material/check:")
    else:
        st.warning(t("practice.other", **ours), icon=":material/info:")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.text(_why(shown.why), width="stretch")
        st.button(t("practice.next"), key=f"next-{shown.item.id}", type="primary", shortcut="enter", on_click=_next)


def _why(text: str) -> str:
    found = reason(text)
    return plain(text) if found is None else t(f"why.{found[0]}", name=plain(found[1]))


def _finished(practice: Practice) -> None:
    st.title(t("practice.ready" if practice.passed else "practice.again"), anchor=False)
    if practice.items:
        st.write(t("practice.count", right=practice.right, total=len(practice.items)))
    if not practice.passed:
        st.write(t("practice.short", needed=practice.needed))
    instructions.show()
    with st.container(horizontal=True):
        if practice.passed:
            st.button(t("practice.skip"), key="start-rating", type="primary", shortcut="enter", on_click=_finish)
        if practice.items:
            look = {} if practice.passed else {"type": "primary", "shortcut": "enter"}
            button(st, t("practice.another"), _another, practice.round, key=f"another-{practice.round}", **look)


@guarded
def _read() -> None:
    st.session_state["read"] = True


def _answer(item_id: str, score: int) -> None:
    rater = session.current()
    if rater is not None:
        session.store().answer_training(rater, item_id, score)
        st.session_state["review"] = item_id


@guarded
def _next() -> None:
    st.session_state["review"] = None


def _another(finished: int) -> None:
    rater = session.current()
    if rater is not None:
        session.store().next_round(rater, finished)
        st.session_state["review"] = None


@guarded
def _finish() -> None:
    rater = session.current()
    if rater is not None:
        session.store().finish_training(rater)
