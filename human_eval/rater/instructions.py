"""What the scores mean, with an example of each."""

from __future__ import annotations

import streamlit as st

from rater.pictures import example
from rater.texts import EXAMPLES, RULES, SCORES


def show() -> None:
    """The scale on one segment under four labels, the rules and the keys."""
    left, right = st.columns([2, 3], vertical_alignment="center")
    left.image(example(), width="stretch", alt="A drawn scene; a red car is outlined in yellow")
    scale = zip(SCORES, EXAMPLES, strict=True)
    right.markdown(
        "\n\n".join(
            f"**{score} · {name}**: {meaning} Here: *{label}*." for score, (name, (meaning, label)) in enumerate(scale)
        )
    )
    st.markdown("\n".join(f"- {rule}" for rule in RULES))
    st.markdown(
        "Keys: **0–3** rate · **T** cannot tell · **S** skip · **Z** undo · **O**, **D**, **E** outline, dimmed, enlarge"
    )
