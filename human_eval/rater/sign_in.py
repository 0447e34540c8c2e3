"""Signing in: by a link, with an invitation, or through OpenID Connect; and agreeing to what a study asks first."""

from __future__ import annotations

import streamlit as st

from rater import session
from rater.texts import choose_language, t
from rater.trouble import button, guarded
from zgbench.ratings import Rater


def show() -> None:
    """The page before anybody is signed in."""
    st.title(t("title"), anchor=False)
    ended = st.session_state.get("ended")
    if ended:
        st.warning(t(f"ended.{ended}"), icon=":material/info:")
    st.write(t("sign_in.what"))
    if st.session_state.get("invited"):
        _by_link()
    else:
        with st.form("sign-in"):
            st.text_input(t("sign_in.box"), key="invitation", autocomplete="off", max_chars=200)
            st.form_submit_button(t("sign_in.start"), key="start", on_click=_enter, type="primary")
    if st.session_state.pop("refused", False):
        st.error(t("sign_in.refused"), icon=":material/error:")
    if session.with_openid():
        if st.user.is_logged_in and not st.session_state.get("ended") and not st.session_state.get("left"):
            st.error(t("sign_in.shut"), icon=":material/error:")
            st.button(t("sign_in.out"), on_click=session.leave)
        else:
            st.button(t("sign_in.account"), on_click=st.login)
    st.caption(t("sign_in.privacy"))
    _contact()
    choose_language()


def consent(rater: Rater) -> None:
    """What a study asks of everybody before the first item."""
    st.title(t("consent.title"), anchor=False)
    _consent_text()
    with st.container(horizontal=True):
        button(st, t("sign_in.agree"), session.store().consent, rater, key="agree", type="primary")
        st.button(t("sign_in.out"), key="sign-out", on_click=guarded(session.leave))
    _contact()
    choose_language()


def _by_link() -> None:
    asked = bool(session.store().settings.consent)
    if asked:
        _consent_text()
    button(st, t("sign_in.agree" if asked else "sign_in.start"), _start, asked, key="start-by-link", type="primary")


def _consent_text() -> None:
    with st.container(key="consent", border=True):
        st.text(session.store().settings.consent)


def _contact() -> None:
    contact = session.store().settings.contact
    if contact:
        with st.container(key="contact", horizontal=True, gap="small"):
            st.caption(t("sign_in.contact"), width="content")
            st.text(contact, width="content")


@guarded
def _enter() -> None:
    token = st.session_state.get("invitation", "")
    if not session.enter(token):
        st.session_state["refused"] = True


def _start(asked: bool) -> None:
    token, told = st.session_state["invited"]
    if not session.enter(token, told, agreed=asked):
        st.session_state["refused"], st.session_state["invited"] = True, None
