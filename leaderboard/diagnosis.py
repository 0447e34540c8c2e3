"""Diagnosis: what each step loses, from 100 % down to the score."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from shared import (
    BAD,
    GOOD,
    PLAIN,
    choose_group,
    choose_method,
    line,
    open_board,
    percent,
    pick_score,
    stop,
    tell_protocol,
    tell_unofficial,
)

from zgbench.board.entry import SCORES
from zgbench.board.order import columns, order_of
from zgbench.board.waterfall import beside, diagnosed, waterfall
from zgbench.errors import ZgbenchError


def plot(steps: list[dict[str, Any]], score: str) -> None:
    """Bars that hang where the one before ended, and the score that is left."""
    last = steps[-1]["value"]
    bars = [*steps, {"title": SCORES[score], "start": 0.0, "value": last, "change": last, "about": "what is left"}]
    whole = (0, len(bars) - 1)
    frame = pd.DataFrame(
        {
            "step": [bar["title"] for bar in bars],
            "start": [100 * bar["start"] for bar in bars],
            "value": [100 * bar["value"] for bar in bars],
            "shown": [
                f"{100 * bar['value']:.1f}" if k in whole else f"{100 * bar['change']:+.1f}"
                for k, bar in enumerate(bars)
            ],
            "kind": ["score" if k in whole else "gain" if bar["change"] > 0 else "loss" for k, bar in enumerate(bars)],
            "about": [bar["about"] for bar in bars],
        }
    )
    base = alt.Chart(frame).encode(y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)))
    hanging = base.mark_bar(height=22).encode(
        x=alt.X("start:Q", title="%", scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5, labelFontSize=12)),
        x2="value:Q",
        color=alt.Color(
            "kind:N", title=None, legend=None,
            scale=alt.Scale(domain=["score", "loss", "gain"], range=["#3b78e7", BAD, GOOD]),
        ),
        tooltip=["step:N", "shown:N", "about:N"],
    )  # fmt: skip
    texts = (
        base.mark_text(align="left", dx=6, color=PLAIN)
        .encode(x="right:Q", text="shown:N")
        .transform_calculate(right="max(datum.start, datum.value)")
    )
    st.altair_chart(
        (hanging + texts).properties(height=alt.Step(34)),
        alt=f"What each step loses of 100 % {SCORES[score]}; the table below has the numbers.",
    )


st.title("Diagnosis")
board = open_board()
with line():
    group = choose_group(board, tgq=False)
    tell_protocol(group)
tell_unofficial(group)
with line():
    entry = choose_method(board, group)
    score = pick_score(group, names=(*group.scores, *diagnosed(group.further)))
try:
    steps = waterfall(board, entry.id, group.key, score)
    other = beside(board, entry.id, group.key, score)
except ZgbenchError as error:
    stop("This method cannot be taken apart.", error)
plot(steps, score)
if any(step["change"] > 0 for step in steps[1:]):
    st.caption(
        "Green: a step that gains. The first two name each segment, or each label, by the class of most of its pixels: "
        "the usual bound, but not the best for every score. Dropping small wrong pieces can beat it."
    )
st.dataframe(
    pd.DataFrame(
        {
            "Step": [step["title"] for step in steps],
            "%": [percent(step["value"]) for step in steps],
            "Change": [percent(step["change"], sign="+") for step in steps],
            "What it is": [step["about"] for step in steps],
        }
    ),
    hide_index=True,
)
st.metric(f"{other['title']}, %", percent(other["value"]).strip())
st.caption(other["about"])

st.header("Does the order depend on the mapper?")
st.caption(
    "Every method of this protocol's data, scored from its stored counts under other mappers and thresholds; Kendall's τ "
    "compares each order with the first row's (1: the same order)."
)
if st.button("Work it out", key="sensitivity"):
    try:
        found = order_of(board, group)
        st.dataframe(
            pd.DataFrame(
                {
                    "Mapper and threshold": found.settings,
                    "Kendall's τ": [
                        "–" if found.tau[setting] != found.tau[setting] else f"{found.tau[setting]:+.2f}"
                        for setting in found.settings
                    ],
                }
                | {
                    name: [percent(None if value != value else value) for value in column]
                    for name, column in columns(found)
                }
            ),
            hide_index=True,
        )
        for name, why in found.unavailable.items():
            st.text(f"Left out: {name}: {why}")
    except ZgbenchError as error:
        st.warning("The orders cannot be compared.")
        st.text(str(error))
