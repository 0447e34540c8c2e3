"""Plots of the ranking: scores with their intervals, and scores over years and over size."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from shared import KINDS, kind_of, methods, percent, text_colour

from zgbench.board.entry import SCORES
from zgbench.board.ranking_text import rank_of

SHOWN = 25
OVER = {"year": "Year of publication", "parameters": "Parameters of all models"}


def intervals(rows: list[dict[str, Any]], score: str) -> None:
    """A dot and its interval for each method, the best on top, its name above the dot."""
    shown = [row for row in rows if row[score] is not None][:SHOWN]
    frame = pd.DataFrame(
        {
            "rank": [rank_of(row) for row in shown],
            "method": [row["name"] for row in shown],
            "order": range(len(shown)),
            "value": [100 * row[score] for row in shown],
            "low": [100 * row[f"{score}_low"] for row in shown],
            "high": [100 * row[f"{score}_high"] for row in shown],
            "kind": [kind_of(row) for row in shown],
            "shown": [percent(row[score], row[f"{score}_low"], row[f"{score}_high"]) for row in shown],
        }
    )
    there = [kind for kind in KINDS if kind in set(frame["kind"])]
    base = alt.Chart(frame).encode(
        y=alt.Y("order:O", title=None, axis=None),
        color=alt.Color(
            "kind:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=300),
            scale=alt.Scale(domain=there, range=[KINDS[kind] for kind in there]),
        ),
        tooltip=[
            alt.Tooltip("rank:N"), alt.Tooltip("method:N"), alt.Tooltip("shown:N", title="% [95 %]"),
            alt.Tooltip("kind:N"),
        ],
    )  # fmt: skip
    lowest, highest = frame["low"].min(), frame["high"].max()
    spare = max(0.05 * (highest - lowest), 0.5)
    scale = alt.Scale(domain=[max(0, lowest - spare), min(100, highest + spare)], nice=False, padding=8)
    rule = base.mark_rule(strokeWidth=3, opacity=0.55, yOffset=7).encode(
        x=alt.X(
            "low:Q",
            title=f"{SCORES[score]}, % (95 % interval)",
            scale=scale,
            axis=alt.Axis(tickCount=5, labelFontSize=12),
        ),
        x2="high:Q",
    )
    dot = base.mark_point(filled=True, size=80, opacity=1, yOffset=7).encode(x=alt.X("value:Q", scale=scale))
    text = (
        base.mark_text(align="center", yOffset=-8, fontSize=13, limit=alt.expr("width"), x=over_dot("value"))
        .encode(text="name:N", color=alt.value(text_colour()))
        .transform_calculate(name="(datum.rank == '–' ? '' : datum.rank + '  ') + datum.method")
    )
    st.altair_chart(
        (rule + dot + text).properties(height=alt.Step(29)),
        alt=f"{SCORES[score]} of {methods(len(shown))} with 95 % intervals, best on top; the table has the numbers.",
    )
    if len(rows) > len(shown):
        st.caption(f"The plot shows {len(shown)} of {len(rows)} rows; the table has all.")


def over_dot(column: str) -> Any:
    """Where a name stands over its dot, but never outside of the plot: its width is estimated, 6.4 pixels a letter."""
    half = "3.2 * min(length(datum.name), width / 6.4)"
    return alt.expr(f"clamp(scale('x', datum.{column}), {half}, width - {half})")


def timeline(rows: list[dict[str, Any]], title: str) -> None:
    """Scores over years or over size, where methods say them.

    Args:
        rows: records ``name``, ``shown_kind`` (one of KINDS), ``value``, and ``year`` or ``parameters``.
    """
    there = {key: about for key, about in OVER.items() if any(row.get(key) for row in rows)}
    if not there:
        return
    st.header("Scores over years, and over size")
    by = st.segmented_control(
        "Over", list(there), format_func=there.__getitem__, default=next(iter(there)), key="over", bind="query-params"
    )
    key = by or next(iter(there))
    points = [row for row in rows if row.get(key) and row["value"] is not None]
    frame = pd.DataFrame(
        {
            "x": [row[key] for row in points],
            "value": [100 * row["value"] for row in points],
            "name": [row["name"] for row in points],
            "kind": [row["shown_kind"] for row in points],
            "by": [f"{row.get('reassign') or ''} {row.get('verify') or ''}".strip() for row in points],
        }
    )
    frame["named"] = spread(frame)
    kinds = [kind for kind in KINDS if kind in set(frame["kind"])]
    low, high = int(frame["x"].min()), int(frame["x"].max())
    scale = (
        alt.Scale(type="log", domain=[low / 2, high * 2])
        if key == "parameters"
        else alt.Scale(domain=[low - 1, high + 1])
    )
    axis = (
        alt.Axis(format="~s", tickCount=5, labelFontSize=12)
        if key == "parameters"
        else alt.Axis(
            format="d",
            values=list(range(low - 1, high + 2, max(1, (high - low) // 6))),
            labelOverlap=False,
            labelFontSize=12,
        )
    )
    base = alt.Chart(frame).encode(
        x=alt.X("x:Q", title=there[key], scale=scale, axis=axis),
        y=alt.Y("value:Q", title=f"{title}, %", axis=alt.Axis(tickCount=5, labelFontSize=12), scale=alt.Scale(zero=True)),
        color=alt.Color(
            "kind:N", title=None, legend=alt.Legend(orient="bottom", labelLimit=300),
            scale=alt.Scale(domain=kinds, range=[KINDS[kind] for kind in kinds]),
        ),
        tooltip=["name:N", "by:N", alt.Tooltip("x:Q", title=there[key]), alt.Tooltip("value:Q", format=".1f"), "kind:N"],
    )  # fmt: skip
    names = (
        base.mark_text(align="center", dy=-12, fontSize=12, limit=alt.expr("width"), x=over_dot("x"))
        .encode(text="name:N", color=alt.value(text_colour()))
        .transform_filter("datum.named")
    )
    st.altair_chart(
        (base.mark_point(filled=True, size=80, opacity=0.9) + names).properties(height=320),
        alt=f"{title} over {there[key].lower()}; the tables have the numbers.",
    )


def spread(frame: pd.DataFrame) -> list[bool]:
    """Which points bear their name: those that stand far enough from the last one named in their place, the best first."""
    least = 0.09 * float(frame["value"].max())
    last: dict[Any, float] = {}
    named = dict.fromkeys(frame.index, False)
    for at, x, value in frame.sort_values("value", ascending=False)[["x", "value"]].itertuples():
        if x not in last or last[x] - value >= least:
            named[at], last[x] = True, value
    return list(named.values())
