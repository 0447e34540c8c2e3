"""Signing in with an invitation, or through OpenID Connect."""

from __future__ import annotations

import streamlit as st

from rater import session
from rater.trouble import guarded


@guarded
def _enter() -> None:
    token = st.session_state.get("invitation", "")
    if not session.enter(token):
        st.session_state["refused"] = True


def show() -> None:
    """The page before anybody is signed in."""
    st.title("Rate labels of segments", anchor=False)
    st.write(
        "A program has cut photos into segments and named each one. You see one segment at a time and say how well the "
        "name fits. No knowledge is needed; a rating takes a few seconds."
    )
    with st.form("sign-in"):
        st.text_input("Your invitation", key="invitation", autocomplete="off", max_chars=200)
        st.form_submit_button("Start", on_click=_enter, type="primary")
    if st.session_state.pop("refused", False):
        st.error(
            "This invitation is not valid: mistyped, expired or withdrawn. Ask whoever invited you.",
            icon=":material/error:",
        )
    if session.with_openid():
        if st.user.is_logged_in:
            st.error("This account has been shut out. Ask whoever invited you.", icon=":material/error:")
            st.button("Sign out", on_click=session.leave)
        else:
            st.button("Sign in with your account", on_click=st.login)
    st.caption(
        "Your answers are stored under a number, not your name. A cookie keeps you signed in until you close the browser."
    )
