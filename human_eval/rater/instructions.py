"""What the scores mean, with an example of each."""

from __future__ import annotations

import streamlit as st

from rater.pictures import example
from rater.texts import SCORES, t


def show() -> None:
    """The scale on one segment under four labels, the rules and the keys."""
    left, right = st.columns([2, 3], vertical_alignment="center")
    left.image(example(), width="stretch", alt=t("example.alt"))
    right.markdown(
        "\n\n".join(
            f"**{n} · {t(f'scores.{n}')}**: {t(f'meaning.{n}')} {t('example.here')}: *{t(f'example.{n}')}*."
            for n in SCORES
        )
    )
    st.markdown("\n".join(f"- {t(f'rules.{rule}')}" for rule in ("segment", "spelling", "share", "controls")))
    with st.container(key="keys"):
        st.markdown(t("keys.all"))
    with st.container(key="touch"):
        st.markdown(t("keys.touch"))
