"""Making and revoking invitation tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from rater import session
from rater.stage import plain
from rater.trouble import guarded
from zgbench.errors import UsageError, ZgbenchError
from zgbench.ratings import TokenInfo
from zgbench.ratings.invitations import invite, link, read_names


def show() -> None:
    """The form, the invitation just made, and all of them."""
    with st.form("invite"):
        st.text_input(
            "Name", key="invite-name", max_chars=100, help="For you only; it is neither shown to raters nor exported."
        )
        left, right = st.columns(2)
        left.selectbox("For", ["rater", "admin"], key="invite-role")
        right.number_input("Valid for days (0: for ever)", min_value=0, value=30, key="invite-days")
        left.number_input(
            "Open to so many strangers (0: one person's)", min_value=0, max_value=100_000, key="invite-open",
            help="Each browser that comes with it is a new rater: for crowd platforms.",
        )  # fmt: skip
        right.checkbox("Without practice", key="invite-trained")
        st.form_submit_button("Make an invitation", on_click=_make, type="primary")
    made, refused = st.session_state.pop("made", None), st.session_state.pop("not-invited", None)
    with st.container(key="answered"):  # always there: what stands below keeps its place, and stays open
        if made:
            st.success("Hand this over, or the link; they are shown only now.", icon=":material/key:")
            st.code(made, language=None, wrap_lines=True)
            st.code(link(_page(), made), language=None, wrap_lines=True)
        if refused:
            st.error(plain(refused), icon=":material/error:")
    _many()
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
        "came": "–" if token.places is None else f"{token.made} of {token.places}",
        "made (UTC)": f"{datetime.fromtimestamp(token.created, UTC):%Y-%m-%d %H:%M}", "valid until": until,
    }  # fmt: skip


@guarded
def _make() -> None:
    if session.is_admin():
        state = st.session_state
        try:
            state["made"] = session.store().make_token(
                state["invite-name"], role=state["invite-role"], days=state["invite-days"] or None,
                trained=state["invite-trained"], places=state["invite-open"] or None,
            )  # fmt: skip
        except UsageError as error:
            state["not-invited"] = str(error)


def _page() -> str:
    """The address of this page, as the organiser's browser has it."""
    return str(st.context.url).partition("?")[0]


def _many() -> None:
    with st.expander("Invite many: a table of names in, a table of links out"):
        file = st.file_uploader("CSV with a column “name”", type="csv", key="invite-many")
        st.button("Make the links", key="invite-all", disabled=file is None, on_click=_invite_many)
        links = st.session_state.get("links")
        if links:
            st.download_button(
                "Download the links", links, "links.csv", "text/csv", key="download-links", on_click="ignore"
            )


@guarded
def _invite_many() -> None:
    state = st.session_state
    if session.is_admin() and state["invite-many"] is not None:
        try:
            names = read_names(state["invite-many"].getvalue(), "the table")
            state["links"] = invite(session.store(), names, _page(), days=state["invite-days"] or None)
        except ZgbenchError as error:
            state["not-invited"] = str(error)


@guarded
def _revoke() -> None:
    if session.is_admin():
        session.store().revoke_token(st.session_state["chosen-token"])
