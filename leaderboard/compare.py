"""Compare: paired differences of two or more methods, by score and by class."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from shared import (
    BAD,
    GOOD,
    PLAIN,
    choose,
    choose_group,
    choose_several,
    names,
    open_board,
    percent,
    stop,
    tell_signature,
)

from zgbench.board.differences import comparison
from zgbench.board.entry import SCORES
from zgbench.errors import ZgbenchError

MOST = 6
CLASSES = 30


def scores_table(rows: list[dict[str, Any]], shown: dict[str, str]) -> None:
    """One row a pair and score."""
    frame = pd.DataFrame(
        {
            "Score": [SCORES[row["score"]] for row in rows],
            "A": [row["a_name"] for row in rows],
            "B": [row["b_name"] for row in rows],
            "A, %": [percent(row["a_value"]) for row in rows],
            "B, %": [percent(row["b_value"]) for row in rows],
            "A − B [95 %]": [percent(row["difference"], row["low"], row["high"], "+") for row in rows],
            "p": ["–" if row["p"] is None else f"{row['p']:.4f}" for row in rows],
            "Better": [winner(row, shown) for row in rows],
        }
    )
    st.dataframe(frame, hide_index=True)


def winner(row: dict[str, Any], shown: dict[str, str]) -> str:
    """Name of the one that is better beyond doubt."""
    return shown[row[row["clear"]]] if row["clear"] else "undecided"


def pairs_plot(rows: list[dict[str, Any]], shown: dict[str, str]) -> None:
    """Differences of the scores, a panel a pair."""
    frame = differences(rows, "score") | {"row": [SCORES[row["score"]] for row in rows]}
    frame["pair"] = [f"{shown[row['a']]} − {shown[row['b']]}" for row in rows]
    data = pd.DataFrame(frame).dropna(subset=["value"])
    for pair in dict.fromkeys(data["pair"]):
        st.text(pair)
        st.altair_chart(forest(data[data["pair"] == pair], "points"))


def differences(rows: list[dict[str, Any]], label: str) -> dict[str, list[Any]]:
    """Columns for a plot of differences, in points of %."""

    def points(key: str) -> list[float | None]:
        return [None if row[key] is None else 100 * row[key] for row in rows]

    verdict = {"a": "A is better", "b": "B is better", "": "undecided"}
    return {
        "row": [row[label] for row in rows],
        "value": points("difference"),
        "low": points("low"),
        "high": points("high"),
        "verdict": [verdict[row["clear"]] for row in rows],
    }


def forest(data: pd.DataFrame, title: str) -> alt.LayerChart:
    """Dots and intervals around zero."""
    base = alt.Chart(data).encode(
        y=alt.Y("row:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        color=alt.Color(
            "verdict:N", title=None, legend=alt.Legend(orient="top"),
            scale=alt.Scale(domain=["A is better", "B is better", "undecided"], range=[GOOD, BAD, PLAIN]),
        ),
        tooltip=["row:N", alt.Tooltip("value:Q", format="+.1f"), alt.Tooltip("low:Q", format="+.1f"), alt.Tooltip("high:Q", format="+.1f")],
    )  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=PLAIN, strokeDash=[4, 4]).encode(x="zero:Q")
    line = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        x=alt.X("low:Q", title=f"A − B, {title} (95 % interval)"), x2="high:Q"
    )
    return (zero + line + base.mark_point(filled=True, size=80, opacity=1).encode(x="value:Q")).properties(
        height=alt.Step(24)
    )


def classes(rows: list[dict[str, Any]], shown: dict[str, str]) -> None:
    """Where one of a pair wins, class by class."""
    pairs = {f"{row['a']}|{row['b']}": f"{shown[row['a']]} − {shown[row['b']]}" for row in rows}
    pair = choose("Pair", pairs, "pair") if len(pairs) > 1 else next(iter(pairs))
    chosen = [row for row in rows if f"{row['a']}|{row['b']}" == pair]
    won = {side: [row["class"] for row in chosen if row["clear"] == side] for side in ("a", "b")}
    a, b = pair.split("|")
    for one, side in ((a, "a"), (b, "b")):
        st.text(f"{shown[one]} wins {len(won[side])} of {len(chosen)} classes: {', '.join(won[side]) or '–'}")
    ordered = sorted(chosen, key=lambda row: -abs(row["difference"] or 0))
    top = sorted(ordered[:CLASSES], key=lambda row: -(row["difference"] or 0))
    st.altair_chart(forest(pd.DataFrame(differences(top, "class")).dropna(subset=["value"]), "points of IoU"))
    if len(chosen) > CLASSES:
        st.caption(f"The {CLASSES} classes that differ most; the table has all.")
    st.dataframe(
        pd.DataFrame(
            {
                "Class": [row["class"] for row in ordered],
                "A, %": [percent(row["a_iou"]) for row in ordered],
                "B, %": [percent(row["b_iou"]) for row in ordered],
                "A − B [95 %]": [percent(row["difference"], row["low"], row["high"], "+") for row in ordered],
                "Images": [row["images"] for row in ordered],
                "Better": [winner(row, shown) for row in ordered],
            }
        ),
        hide_index=True,
    )


st.title("Compare")
board = open_board()
group = choose_group(board)
tell_signature(group)
options = names(board, group.ids)
chosen = choose_several("Methods", options, "methods", 2, MOST)
if len(chosen) < 2:
    st.info("Choose two to six methods of this protocol.")
    st.stop()
more = st.multiselect(
    "Further scores", list(group.further), format_func=lambda name: SCORES[name], key="more", bind="query-params"
)
try:
    found = comparison(board, group.key, chosen, more)
except ZgbenchError as error:
    stop("These cannot be compared.", error)
st.caption("Paired over the same images: what both find easy or hard cancels out.")
scores_table(found.scores, options)
pairs_plot(found.scores, options)
if found.per_class:
    st.subheader("By class")
    classes(found.per_class, options)
