"""What people see when something fails: a plain sentence, never a traceback; the log has the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

import streamlit as st

from zgbench.errors import ZgbenchError

P = ParamSpec("P")
_LOG = logging.getLogger("zgbench.rate")
_TEXT = "Something went wrong on our side. Your ratings so far are kept. Wait a moment, then try again."


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
            st.toast(_TEXT, icon=":material/error:")
        yield
    except Exception as error:
        _note(error)
        st.error(_TEXT, icon=":material/error:")
        st.button("Try again", key=f"try-again-{part}")


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
