"""The training round: instructions, then a few items with feedback. What was answered is in the store."""

from __future__ import annotations

from functools import partial

import streamlit as st

from rater import instructions, session
from rater.stage import plain, show_item, show_scores
from rater.texts import SCORES
from rater.trouble import guarded
from zgbench.ratings import Rater, TrainingItem


def show(rater: Rater) -> None:
    """The step that this rater is at."""
    items = session.store().training(rater)
    given = [item for item in items if item.answer is not None]
    if not given and not st.session_state.get("read"):
        _instructions(items)
        return
    reviewed = next((item for item in given if item.item.id == st.session_state.get("review")), None)
    waiting = next((item for item in items if item.answer is None), None)
    if reviewed is not None:
        _item(reviewed, len(given), len(items))
    elif waiting is not None:
        _item(waiting, len(given) + 1, len(items))
    else:
        _finished(given)


def _instructions(items: list[TrainingItem]) -> None:
    st.title("What you do", anchor=False)
    st.write("You see a photo with one part outlined, and a few words. Say how well the words name the outlined part.")
    instructions.show()
    more = f"There are {len(items)} items to practise on first; you see our answer after each." if items else ""
    st.write(more)
    words, then = ("Practise", _read) if items else ("Start rating", _finish)
    st.button(words, key="read-it", type="primary", shortcut="enter", on_click=then)


def _item(shown: TrainingItem, number: int, total: int) -> None:
    st.progress(number / total, f"Practice {number} of {total}")
    show_item(shown.item)
    if shown.answer is None:
        show_scores(f"training-{shown.item.id}", partial(_answer, shown.item.id))
        return
    if shown.answer == shown.known:
        st.success(f"{shown.known} · {SCORES[shown.known]}: that is our answer too.", icon=":material/check:")
    else:
        st.warning(
            f"We would say {shown.known} · {SCORES[shown.known]}. You said {shown.answer}.", icon=":material/info:"
        )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.text(plain(shown.why), width="stretch")
        st.button("Next", key=f"next-{shown.item.id}", type="primary", shortcut="enter", on_click=_next)


def _finished(given: list[TrainingItem]) -> None:
    right = sum(item.answer == item.known for item in given)
    st.title("Ready", anchor=False)
    if given:
        st.write(f"Your answer was ours in {right} of {len(given)}.")
    instructions.show()
    st.button("Start rating", key="start-rating", type="primary", shortcut="enter", on_click=_finish)


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


@guarded
def _finish() -> None:
    rater = session.current()
    if rater is not None:
        session.store().finish_training(rater)
