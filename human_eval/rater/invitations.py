"""Making and revoking invitation tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from rater import session
from rater.stage import plain
from rater.trouble import guarded
from zgbench.ratings import TokenInfo


def show() -> None:
    """The form, the invitation just made, and all of them."""
    with st.form("invite"):
        st.text_input(
            "Name", key="invite-name", max_chars=100, help="For you only; it is neither shown to raters nor exported."
        )
        left, right = st.columns(2)
        left.selectbox("For", ["rater", "admin"], key="invite-role")
        right.number_input("Valid for days (0: for ever)", min_value=0, value=30, key="invite-days")
        st.form_submit_button("Make an invitation", on_click=_make, type="primary")
    made = st.session_state.pop("made", None)
    if made:
        st.success("Hand this over; it is shown only now.", icon=":material/key:")
        st.code(made, language=None)
    if st.session_state.pop("no-name", False):
        st.error("An invitation needs a name.", icon=":material/error:")
    tokens = session.store().tokens()
    st.dataframe([_row(token) for token in tokens], hide_index=True, width="stretch", key="invitations")
    valid = {token.id: f"{token.id} · {plain(token.name)}" for token in tokens if _state(token) == "valid"}
    if valid:
        with st.form("revoke"):
            st.selectbox("Invitation", list(valid), format_func=valid.__getitem__, key="chosen-token")
            st.form_submit_button("Revoke", on_click=_revoke)


def _state(token: TokenInfo) -> str:
    if token.revoked is not None:
        return "revoked"
    if token.expires is not None and token.expires <= session.store().clock():
        return "expired"
    return "valid"


def _row(token: TokenInfo) -> dict[str, object]:
    until = "for ever" if token.expires is None else f"{datetime.fromtimestamp(token.expires, UTC):%Y-%m-%d}"
    return {
        "invitation": token.id, "name": plain(token.name), "for": token.role, "state": _state(token),
        "made (UTC)": f"{datetime.fromtimestamp(token.created, UTC):%Y-%m-%d %H:%M}", "valid until": until,
    }  # fmt: skip


@guarded
def _make() -> None:
    if session.is_admin():
        state = st.session_state
        name = state["invite-name"].strip()
        if not name:
            state["no-name"] = True
            return
        state["made"] = session.store().make_token(name, role=state["invite-role"], days=state["invite-days"] or None)


@guarded
def _revoke() -> None:
    if session.is_admin():
        session.store().revoke_token(st.session_state["chosen-token"])
