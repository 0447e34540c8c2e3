"""Who is signed in, through refreshes, new tabs and lost connections.

The invitation token lives in a cookie of the browser session (SameSite=Strict; Secure under https), never in the
address, where histories, logs and people who share a link would keep it. It is checked in the store at every step, so
that a revoked token ends at once.
"""

from __future__ import annotations

import streamlit as st

from zgbench.ratings import Rater, Store, open_store

COOKIE = "zgbench_rater"

# a component's data arrives as data, so that no text is ever pasted into this script
_keep_cookie = st.components.v2.component(
    "zgbench_cookie",
    js="""
    export default function ({ data }) {
      const secure = location.protocol === "https:" ? "; Secure" : "";
      const value = encodeURIComponent(data.value);
      const age = data.value ? "" : "; Max-Age=0";
      document.cookie = `${data.name}=${value}; Path=/; SameSite=Strict${age}${secure}`;
    }
    """,
)


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The ratings store of ``ZGBENCH_RATINGS``, one for all who are connected."""
    return open_store()


def current() -> Rater | None:
    """Who is signed in now."""
    token = st.session_state.get("token")
    if token is None and not st.session_state.get("signed_out"):
        token = st.context.cookies.get(COOKIE)
    if token:
        person = store().sign_in(token)
        st.session_state["token"] = token if person is not None else ""
        return person
    if with_openid() and st.user.is_logged_in:
        return store().sign_in_with_identity(
            str(st.user.get("iss")), str(st.user.get("sub")), str(st.user.get("name") or "")
        )
    return None


def is_admin() -> bool:
    """Whether an admin is signed in; asked before everything that only an admin may do."""
    person = current()
    return person is not None and person.role == "admin"


def enter(token: str) -> bool:
    """Sign in with a token; False when it is not valid."""
    person = store().sign_in(token.strip())
    if person is None:
        return False
    forget()
    st.session_state["token"] = token.strip()
    return True


def leave() -> None:
    """Sign out in this browser."""
    forget()
    st.session_state["signed_out"] = True
    if with_openid() and st.user.is_logged_in:
        st.logout()


def forget() -> None:
    """Drop what this browser session holds."""
    for key in list(st.session_state):
        del st.session_state[key]


def remember() -> None:
    """Let the browser keep, or drop, the token that is in use."""
    with st.container(key="cookie"):
        _keep_cookie(data={"name": COOKIE, "value": st.session_state.get("token") or ""}, key="cookie-component")


def with_openid() -> bool:
    """Whether the organiser has set up OpenID Connect (a section ``[auth]`` in Streamlit's secrets)."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets
