"""What raters are told and asked for."""

from __future__ import annotations

import streamlit as st

from rater import session
from rater.stage import plain
from rater.texts import languages
from rater.trouble import guarded
from zgbench.errors import UsageError


def show() -> None:
    """The settings, to change."""
    settings = session.store().settings
    known = languages()
    with st.form("study"):
        st.text_area(
            "Consent: raters agree to it first (plain text)", settings.consent, key="study-consent", height=160
        )
        left, right = st.columns(2)
        left.text_input("Contact", settings.contact, key="study-contact", max_chars=200)
        right.text_input("Completion code", settings.code, key="study-code", max_chars=100)
        left.number_input("Answers that one rater may give (0: any number)", 0, value=settings.quota, key="study-quota")
        right.number_input(
            "Share of practice that must be right", 0.0, 1.0, settings.practice_share, 0.05, key="study-practice_share"
        )
        codes = ["", *known]
        st.selectbox(
            "Language", codes, codes.index(settings.language) if settings.language in codes else 0,
            key="study-language", format_func=lambda code: known[code]["language"] if code else "the browser's",
        )  # fmt: skip
        st.form_submit_button("Save", on_click=_save, type="primary")
    refused = st.session_state.pop("study-refused", None)
    if refused:
        st.error(plain(refused), icon=":material/error:")


@guarded
def _save() -> None:
    if session.is_admin():
        names = ("consent", "contact", "code", "quota", "practice_share", "language")
        try:
            session.store().configure(**{name: st.session_state[f"study-{name}"] for name in names})
        except UsageError as error:
            st.session_state["study-refused"] = str(error)
