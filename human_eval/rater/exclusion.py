"""Rules of exclusion: chosen from a list, seen before they are put in force, and revoked."""

from __future__ import annotations

import streamlit as st

from rater import session
from rater.charts import words_of
from rater.stage import plain
from rater.trouble import guarded
from zgbench.errors import UsageError
from zgbench.ratings import preview
from zgbench.ratings.rule_preview import SUGGESTED
from zgbench.ratings.rules import MEASURES

_OWN = "another one"


def show() -> None:
    """The rules there are, and a new one with what it would do."""
    st.write(
        "Raters are left out by a stated rule only; the ratings themselves stay as they are, and so does every rule."
    )
    for rule in session.store().exclusions():
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.text(plain(rule.text) + (" (revoked)" if rule.revoked is not None else ""))
            if rule.revoked is None:
                st.button("Revoke", key=f"revoke-rule-{rule.id}", on_click=_revoke, args=(rule.id,))
    st.header("A new rule", anchor=False)
    left, right = st.columns(2)
    chosen = left.selectbox("Leave out raters with", [*SUGGESTED, _OWN], format_func=_said, key="rule-chosen")
    least = right.number_input("Only raters with at least so many", min_value=1, value=5, key="rule-min")
    text = chosen
    if chosen == _OWN:
        text = st.text_input(
            "Rule", key="rule-text", placeholder="controls<0.7", max_chars=100,
            help="; ".join(f"{name}: {what}" for name, what in MEASURES.items()),
        )  # fmt: skip
    if text:
        _preview(text, int(least))


def _said(rule: str) -> str:
    name = rule.partition("<")[0].partition(">")[0]
    return f"{rule} ({MEASURES[name]})" if name in MEASURES else rule


def _preview(text: str, least: int) -> None:
    try:
        found = preview(session.store(), text, min=least)
    except UsageError as error:
        st.error("This is not a rule that can be used.", icon=":material/error:")
        st.text(plain(str(error)))
        return
    with st.container(key="rule-preview", border=True):
        st.text(f"{found.rule} would leave out {len(found.raters)} raters, {found.ratings} of {found.of} scores.")
        if found.raters:
            st.text(", ".join(map(plain, found.raters)))
        for question, (now, then) in found.alpha.items():
            st.text(f"{question}: Krippendorff's α {words_of(now)} now, {words_of(then)} with it")
        st.button("Put it in force", key="rule-add", on_click=_add, args=(text, least), type="primary")


@guarded
def _add(text: str, least: int) -> None:
    if session.is_admin():
        session.store().add_exclusion(text, min=least)


@guarded
def _revoke(rule_id: int) -> None:
    if session.is_admin():
        session.store().revoke_exclusion(rule_id)
