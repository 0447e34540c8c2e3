"""Compare: paired differences of two or more methods, by score and by class."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
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
    line,
    names,
    open_board,
    percent,
    stop,
    tell_protocol,
    tell_unofficial,
    text_colour,
)

from zgbench.board.differences import against, class_differences, comparison
from zgbench.board.entry import SCORES
from zgbench.board.ranking_text import differences_csv
from zgbench.errors import ZgbenchError

MOST = 6
HEIGHT = 480  # of the plot by class, in pixels at most: its axis stays in sight
COLOURS = ["#3b78e7", "#d55e00", "#009e73", "#cc79a7", "#b58900"]
SHAPES = ["circle", "square", "diamond", "triangle-up", "cross"]
ORDERS = {"difference": "Largest difference", "name": "Name", "images": "Images that show it"}
RIGHT = {
    title: st.column_config.Column(alignment="right")
    for title in ("A, %", "B, %", "A − B [95 %]", "p", "p (Holm)", "Smallest found", "Images needed")
}
VERDICT = {"a": "better than it", "b": "worse than it", "": "undecided"}


def scores_table(rows: list[dict[str, Any]], shown: dict[str, str]) -> None:
    """One row a pair and score."""
    several = len({(row["a"], row["b"]) for row in rows}) > 1
    frame = pd.DataFrame(
        {
            "Score": [SCORES[row["score"]] for row in rows],
            "A": [shown[row["a"]] for row in rows],
            "B": [shown[row["b"]] for row in rows],
            **numbers(rows, "a_value", "b_value"),
            "p": [probability(row["p"]) for row in rows],
            **({"p (Holm)": [probability(row["p_holm"]) for row in rows]} if several else {}),
            "Better": [winner(row, shown) for row in rows],
            "Smallest found": [percent(row["smallest"]) for row in rows],
            "Images needed": [needed(row["images_needed"]) for row in rows],
        }
    )
    st.dataframe(
        frame, hide_index=True, column_config=RIGHT, alt="Differences of every two methods, a row for each score"
    )
    st.caption(
        "Better: p < 0.05, corrected for the number of pairs (Holm) where there are several. Smallest found: the difference, "
        "in points, that would be found in 80 % of cases (2.8 standard errors of the paired difference). Images needed: how "
        "many like these it takes to find the difference seen in 80 % of cases."
    )


def probability(value: float | None) -> str:
    """A p-value."""
    return "–" if value is None else f"{value:.4f}"


def needed(number: int | None) -> str:
    """A number of images; nobody needs to know it above ten millions."""
    return "–" if number is None else f"{number:,}" if number <= 10_000_000 else "> 10,000,000"


def numbers(rows: list[dict[str, Any]], a: str, b: str) -> dict[str, list[str]]:
    """The columns of numbers in a table of differences."""
    return {
        "A, %": [percent(row[a]) for row in rows],
        "B, %": [percent(row[b]) for row in rows],
        "A − B [95 %]": [percent(row["difference"], row["low"], row["high"], "+") for row in rows],
    }


def winner(row: dict[str, Any], shown: dict[str, str]) -> str:
    """Name of the one that is better beyond doubt."""
    return shown[row[row["clear"]]] if row["clear"] else "undecided"


def forest(rows: list[dict[str, Any]], label: str, order: list[str], shown: dict[str, str], title: str) -> None:
    """Differences from one method around zero, all on one scale; filled where they are beyond doubt."""
    others = list(dict.fromkeys(shown[row["a"]] for row in rows))
    frame = pd.DataFrame(
        {
            "row": [SCORES.get(row[label], row[label]) for row in rows],
            "method": [shown[row["a"]] for row in rows],
            **{
                key: [None if row[key] is None else 100 * row[key] for row in rows]
                for key in ("difference", "low", "high")
            },
            "verdict": [VERDICT[row["clear"]] for row in rows],
        }
    ).dropna(subset=["difference"])
    one = len(others) == 1
    colour = (
        alt.Color(
            "verdict:N", title=None, legend=alt.Legend(orient="top"),
            scale=alt.Scale(domain=list(VERDICT.values()), range=[GOOD, BAD, PLAIN]),
        )
        if one
        else alt.Color(
            "method:N", title=None, legend=alt.Legend(orient="top", columns=1, labelLimit=600),
            scale=alt.Scale(domain=others, range=COLOURS[: len(others)]),
        )
    )  # fmt: skip
    base = alt.Chart(frame).encode(
        y=alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, labelFontSize=12)),
        color=colour,
        tooltip=["row:N", "method:N", *(alt.Tooltip(f"{key}:Q", format="+.1f") for key in ("difference", "low", "high")), "verdict:N"],
    )  # fmt: skip
    if not one:
        base = base.encode(yOffset=alt.YOffset("method:N", sort=others))
    axis = alt.Axis(orient="top", tickCount=5, labelFontSize=12)
    rule = base.mark_rule(strokeWidth=2.5, opacity=0.55).encode(x=alt.X("low:Q", title=title, axis=axis), x2="high:Q")
    dot = base.mark_point(size=60, opacity=1, strokeWidth=1.8).encode(
        x="difference:Q",
        fill=alt.condition("datum.verdict == 'undecided'", alt.value("transparent"), colour),
    )
    if not one:
        dot = dot.encode(
            shape=alt.Shape("method:N", legend=None, scale=alt.Scale(domain=others, range=SHAPES[: len(others)]))
        )
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=text_colour(), strokeDash=[4, 4]).encode(x="zero:Q")
    st.altair_chart(
        (zero + rule + dot).properties(height=alt.Step(band(len(others)), **{"for": "position"})),
        alt=f"Differences with 95 % intervals, {title}; the table below has the numbers.",
    )


def band(others: int) -> int:
    """Pixels of a row that shows so many methods."""
    return max(22, 8 * others)


def wins(rows: list[dict[str, Any]], count: int, shown: dict[str, str]) -> Iterator[str]:
    """How many classes each method is better and worse in, a sentence each."""
    for other in dict.fromkeys(row["a"] for row in rows):
        better, worse = (sum(row["a"] == other and row["clear"] == side for row in rows) for side in ("a", "b"))
        yield f"“{shown[other]}” is better in {better} of {count} classes, worse in {worse}."


def classes(rows: list[dict[str, Any]], reference: str, shown: dict[str, str], title: str) -> None:
    """Class by class, all methods in one plot with one scale."""
    turned = against(rows, reference)
    found = list(dict.fromkeys(row["class"] for row in turned))
    largest = {name: max(abs(row["difference"] or 0) for row in turned if row["class"] == name) for name in found}
    images = {row["class"]: row["images"] for row in turned}
    with line():
        by = choose("Order of classes", ORDERS, "classes_by", width=220)
        order = sorted(
            found, key={"difference": lambda n: -largest[n], "name": str, "images": lambda n: -images[n]}[by]
        )
        most = HEIGHT // band(len(dict.fromkeys(row["a"] for row in turned)))
        parts = {str(k): f"{k + 1}–{min(k + most, len(order))} of {len(order)}" for k in range(0, len(order), most)}
        first = int(choose("Classes", parts, "classes_from", width=160)) if len(parts) > 1 else 0
        st.download_button(
            "CSV", partial(differences_csv, turned), "zgbench-classes.csv", "text/csv", on_click="ignore"
        )
    st.text("\n".join(wins(turned, len(found), shown)))
    seen = order[first : first + most]
    forest(
        [row for row in turned if row["class"] in set(seen)],
        "class",
        seen,
        shown,
        f"points of {title} above or below the method",
    )
    ordered = sorted(turned, key=lambda row: order.index(row["class"]))
    frame = pd.DataFrame(
        {
            "Class": [row["class"] for row in ordered],
            "A": [shown[row["a"]] for row in ordered],
            **numbers(ordered, "a_iou", "b_iou"),
            "Images": [row["images"] for row in ordered],
            "Better": [winner(row, shown) for row in ordered],
        }
    )
    st.dataframe(
        frame, hide_index=True, alt="Differences by class",
        column_config=RIGHT,
    )  # fmt: skip


st.title("Compare")
board = open_board()
with line():
    group = choose_group(board)
    tell_protocol(group)
tell_unofficial(group)
options = names(board, board.best_first(group))
chosen = choose_several("Methods", options, "methods", 2, MOST)
if len(chosen) < 2:
    st.info("Choose two to six methods of this protocol.")
    st.stop()
with line():
    first = chosen[1] if len(chosen) == 2 else chosen[0]
    reference = choose("Differences from", {key: options[key] for key in chosen}, "against", first=first)
    more = st.multiselect(
        "Further scores", list(group.further), format_func=lambda name: SCORES[name], key="more", bind="query-params"
    )
try:
    found = comparison(board, group.key, chosen, more)
except ZgbenchError as error:
    stop("These cannot be compared.", error)
st.caption(
    "Paired over the same images: what both find easy or hard cancels out. Filled: beyond doubt; hollow: undecided."
)
forest(
    against(found.scores, reference),
    "score",
    list(dict.fromkeys(SCORES[row["score"]] for row in found.scores)),
    options,
    "points above or below the method",
)
with line():
    st.download_button(
        "CSV",
        partial(differences_csv, found.scores),
        "zgbench-scores.csv",
        "text/csv",
        on_click="ignore",
        key="scores_csv",
    )
scores_table(found.scores, options)
if found.per_class:
    st.header("By class")
    by = "iou_dataset"
    if more:
        by = choose("Score of a class", {name: SCORES[name] for name in ("iou_dataset", *more)}, "by")
    rows = found.per_class if by == "iou_dataset" else class_differences(board, group.key, chosen, by)
    classes(rows, reference, options, SCORES[by])
