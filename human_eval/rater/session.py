"""Who is signed in, through refreshes, new tabs and lost connections.

A cookie of the browser session (SameSite=Strict; Secure under https) holds the secret of a session that the store knows
by its hash; the invitation itself is kept nowhere. The cookie is named after the study, so that two studies on one host
leave each other alone. The session is looked up at every step: one that ended, in whatever way, ends here at once.
"""

from __future__ import annotations

import streamlit as st

from zgbench.ratings import Rater, Store, open_store

PARTICIPANT = ("PROLIFIC_PID", "workerId", "participant")
"""What links call their participant, on Prolific, Mechanical Turk and elsewhere."""

_STAYS = ("language", "view", "arrived")  # what a tab keeps whoever signs in

# A component's data arrives as data, so that no text is ever pasted into this script. Other tabs are told that somebody
# signed out here, and ask the server who they are. An invitation leaves the address before anybody can share it.
_browser = st.components.v2.component(
    "zgbench_session",
    js="""
    export default function ({ data, setTriggerValue }) {
      const secure = location.protocol === "https:" ? "; Secure" : "";
      const keep = (value, age) => {
        document.cookie = `${data.name}=${encodeURIComponent(value)}; Path=/; SameSite=Strict${age}${secure}`;
      };
      const tabs = (window.zgbenchTabs ??= new BroadcastChannel(data.name));
      tabs.onmessage = () => setTriggerValue("elsewhere", true);
      if (data.session) keep(data.session, "");
      if (data.left && window.zgbenchLeft !== data.left) {
        window.zgbenchLeft = data.left;
        keep("", "; Max-Age=0");
        tabs.postMessage("left");
      }
      if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname);
      document.documentElement.lang = data.language;
    }
    """,
)


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The study that ``ZGBENCH_RATINGS`` and ``ZGBENCH_STUDY`` name, one for all who are connected."""
    return open_store()


def cookie() -> str:
    """Name of this study's cookie."""
    return f"zgbench_rater_{store().study.mark}"


def arrive() -> None:
    """Take an invitation out of the address."""
    state = st.session_state
    token = st.query_params.get("token")
    if token and state.get("arrived") != token:
        known = st.context.cookies.get(cookie())
        state["arrived"] = token
        if not (known and store().is_of_token(known, token)):  # else they come back, and go on where they were
            forget()
            told = next((st.query_params[name] for name in PARTICIPANT if name in st.query_params), "")
            state["arrived"], state["invited"], state["session"] = token, (token, told), ""


def current() -> Rater | None:
    """Who is signed in now."""
    state = st.session_state
    secret = state.get("session")
    from_cookie = secret is None
    if from_cookie:
        secret = st.context.cookies.get(cookie())
    if secret:
        found = store().who(secret)
        if isinstance(found, Rater):
            state["session"] = secret
            return found
        state["session"] = ""
        if not (from_cookie and found in ("unknown", "signed_out")):  # what an old cookie says is no news
            state["ended"] = found
            return None
    if with_openid() and st.user.is_logged_in and not state.get("ended") and not state.get("left"):
        new = store().enter_with_identity(
            str(st.user.get("iss")), str(st.user.get("sub")), str(st.user.get("name") or "")
        )
        state["session"] = new or ""
        person = store().who(new) if new else None
        return person if isinstance(person, Rater) else None
    return None


def is_admin() -> bool:
    """Whether an admin is signed in; asked before everything that only an admin may do."""
    person = current()
    return person is not None and person.role == "admin"


def enter(token: str, participant: str = "", *, agreed: bool = False) -> bool:
    """Sign in with an invitation; False when it is not valid.

    Args:
        agreed: to what the study asks first.
    """
    secret = store().enter(token, participant)
    if secret is None:
        return False
    forget()
    st.session_state["session"] = secret
    person = current()
    if agreed and person is not None:
        store().consent(person)
    return True


def leave() -> None:
    """Sign out, in all tabs of this browser."""
    secret = st.session_state.get("session")
    if secret:
        store().leave(secret)
    forget()
    st.session_state["session"], st.session_state["left"] = "", secret or "nothing"
    if with_openid() and st.user.is_logged_in:
        st.logout()


def forget() -> None:
    """Drop what this browser session holds about a person."""
    for key in list(st.session_state):
        if key not in _STAYS:
            del st.session_state[key]


def remember(language: str) -> None:
    """Let the browser keep, or drop, the session that is in use."""
    state = st.session_state
    left = (state.get("left") or "")[:8]
    data = {"name": cookie(), "session": state.get("session") or "", "left": left, "language": language}
    with st.container(key="cookie"):
        _browser(data=data, key="cookie-component", on_elsewhere_change=lambda: None)


def with_openid() -> bool:
    """Whether the organiser has set up OpenID Connect (a section ``[auth]`` in Streamlit's secrets)."""
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets
