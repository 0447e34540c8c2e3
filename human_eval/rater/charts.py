"""Figures of the organiser's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from rater.stage import plain
from rater.texts import SCORES, english
from zgbench.ratings import RaterQuality


def show_figure(place: Any, name: str, interval: Any) -> None:
    """A number with its interval, or why there is none."""
    place.metric(name, "–" if interval.value is None else f"{interval.value:.2f}")
    if interval.value is None:
        place.caption(plain(interval.reason))
    elif interval.low is None or interval.high is None:
        place.caption("no interval")
    else:
        place.caption(f"{interval.low:.2f} to {interval.high:.2f}")


def show_distribution(shares: Sequence[Any]) -> None:
    """Share of each score, with intervals."""
    import altair as alt
    import pandas as pd

    rows = [
        {"score": f"{score} · {english(f'scores.{score}')}", "share": 100 * one.value}
        | {end: 100 * (one.value if at is None else at) for end, at in (("low", one.low), ("high", one.high))}
        for score, one in zip(SCORES, shares, strict=True)
        if one.value is not None
    ]
    if not rows:
        return
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("score:N", title=None, sort=None, axis=alt.Axis(labelLimit=220)),
        tooltip=[alt.Tooltip(c, format=".1f") for c in ("share", "low", "high")],
    )
    bars = base.mark_bar(height=18).encode(x=alt.X("share:Q", title="% of ratings", scale=alt.Scale(domain=[0, 100])))
    spans = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", color=alt.value("#8a93a3"))
    words = "; ".join(f"{row['score']}: {row['share']:.0f} %" for row in rows)
    st.altair_chart(bars + spans, width="stretch", height=190, alt=f"Share of each score. {words}")


def show_raters(rows: Sequence[RaterQuality]) -> None:
    """How each rater does; names are drawn as plain text."""
    st.dataframe(
        [
            {
                "name": plain(row.name), "rater": row.rater[:8], "ratings": row.ratings, "cannot tell": row.cannot_tell,
                "skipped": row.skipped, "controls": f"{row.controls_right} of {row.controls_seen}",
                "within 1": row.agreement, "exact": row.exact, "bias": row.bias, "seconds": row.median_seconds,
                "excluded by": plain(row.excluded_by),
            }
            for row in rows
        ],
        hide_index=True, width="stretch", key="raters",
        column_config={
            "within 1": st.column_config.NumberColumn(help="Share of ratings within 1 of the others' median", format="%.2f"),
            "exact": st.column_config.NumberColumn(help="Share of ratings that equal the others' median", format="%.2f"),
            "bias": st.column_config.NumberColumn(help="Mean difference to the others' median", format="%+.2f"),
            "seconds": st.column_config.NumberColumn(help="Median seconds an item", format="%.1f"),
        },
    )  # fmt: skip
