"""Figures of the organiser's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from rater.stage import plain
from rater.texts import SCORES, english
from zgbench.ratings import Part, Payment, RaterQuality


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


def words_of(interval: Any) -> str:
    """A number with its interval, in words."""
    if interval.value is None:
        return f"undefined ({plain(interval.reason)})"
    return f"{interval.value:.2f}" + (f" [{interval.low:.2f}, {interval.high:.2f}]" if interval.low is not None else "")


def show_parts(key: str, parts: Sequence[Part]) -> None:
    """How far methods or images are."""
    st.dataframe(
        [
            {
                "name": plain(part.name), "done": part.given / part.wanted if part.wanted else 1.0,
                "answers": f"{part.given} of {part.wanted}", "items done": f"{part.done} of {part.items}",
            }
            for part in parts
        ],
        hide_index=True, width="stretch", key=key, height="content" if len(parts) < 9 else 320,
        column_config={"done": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)},
    )  # fmt: skip


def show_payments(rows: Sequence[Payment]) -> None:
    """What each rater did."""
    st.dataframe(
        [
            {
                "rater": plain(row.name), "participant": plain(row.participant), "answers": row.answers,
                "minutes": row.minutes, "controls right": f"{row.controls_right} of {row.controls_seen}",
                "quota reached": {True: "yes", False: "no", None: "–"}[row.done],
            }
            for row in rows
        ],
        hide_index=True, width="stretch", key="payments",
    )  # fmt: skip
