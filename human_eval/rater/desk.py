"""Keys, focus, the line under the scores that says what was stored, and the bare photo: see ``desk.js``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

HOLD = "bare"
"""What the key of the bare photo is for; it presses no button."""

_desk = st.components.v2.component(
    "zgbench_desk",
    html='<p role="status" class="said"></p>',
    js=Path(__file__).with_name("desk.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def say(text: str, *, refused: bool = False) -> None:
    """Tell, beside the scores, what became of the last press."""
    state = st.session_state
    state["said"] = (text, refused, state.get("said", ("", False, 0))[2] + 1)


def show(ticket: str, keys: Mapping[str, str], *, writing: bool = False) -> None:
    """Put the line here, and let keys press buttons.

    Args:
        ticket: of what is shown; when it changes, the focus goes to the button that stands where the old one stood.
        keys: key → start of the button's name, such as ``T`` → ``cannot-``.
        writing: a comment: the focus goes to its box.
    """
    text, refused, turn = st.session_state.get("said", ("", False, 0))
    data = {
        "ticket": ticket,
        "keys": dict(keys) | {"F": HOLD},
        "hold": HOLD,
        "said": text,
        "refused": refused,
        "turn": turn,
        "writing": writing,
    }
    with st.container(key="said"):
        _desk(data=data, key="desk")
