"""What people see when something fails: a plain sentence, never a traceback; the log has the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st

from rater.texts import t
from zgbench.errors import ZgbenchError

P = ParamSpec("P")
_LOG = logging.getLogger("zgbench.rate")


def _note(error: Exception) -> None:
    if isinstance(error, ZgbenchError):
        _LOG.error("%s", error)
    else:
        _LOG.error("the page failed", exc_info=error)


@contextmanager
def caught(part: str = "page") -> Iterator[None]:
    """Run the page, or a part of it; a failure becomes a message with a button to try again."""
    try:
        failed = st.session_state.pop("failed", False)
        if failed:
            st.toast(t("trouble.failed"), icon=":material/error:")
        yield
    except Exception as error:
        _note(error)
        st.error(t("trouble.failed"), icon=":material/error:")
        st.button(t("trouble.again"), key=f"try-again-{part}")


def guarded(callback: Callable[P, Any]) -> Callable[P, None]:
    """A button's callback whose failure is told on the page that follows."""

    @wraps(callback)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:
            _note(error)
            st.session_state["failed"] = True

    return run


def button(place: Any, words: str, act: Callable[..., Any], *args: Any, key: str, **look: Any) -> None:
    """A button whose press is never lost.

    ``act`` runs before the page is drawn anew. A server that was started again after this page was drawn does not know
    what a press meant until it has drawn the button: then it runs here.
    """
    state = st.session_state

    def run() -> None:
        state["acted"] = key
        guarded(act)(*args)

    if place.button(words, key=key, on_click=run, **look) and state.pop("acted", None) != key:
        guarded(act)(*args)
        st.rerun()
