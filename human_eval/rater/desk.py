"""Keys, focus, the line under the scores that says what was stored, and the bare photo: see ``desk.js``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from rater.texts import SCORES, SKIP, VIEWS

_HOLD = "bare"  # what the key of the bare photo is for; it presses no button
KEYS = {
    **{str(score): f"score-{score}-" for score in SCORES},
    **{key: f"view-{name}" for name, key in VIEWS},
    **{key.upper(): f"reason-{key}-" for key in SKIP},
    "T": "cannot-", "S": "skip-", "Z": "undo-", "C": "comment-", "F": _HOLD,
}  # fmt: skip
"""Key → start of the name of the button that it presses. One map for all pages: a key whose button is not there, or
cannot be pressed now, does nothing."""

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


def show(ticket: str, *, writing: bool = False) -> None:
    """Put the line here, and let keys press buttons.

    Args:
        ticket: of what is shown; when it changes, the focus goes to the button that stands where the old one stood.
        writing: a comment: the focus goes to its box.
    """
    text, refused, turn = st.session_state.get("said", ("", False, 0))
    said = {"said": text, "refused": refused, "turn": turn}
    with st.container(key="said"):
        _desk(data={"ticket": ticket, "keys": KEYS, "hold": _HOLD, "writing": writing} | said, key="desk")
