"""Ranking: one data set, one protocol signature, scores with 95 % intervals, ranks that tie."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from shared import (
    KINDS,
    choose,
    choose_protocol,
    kind_of,
    methods,
    open_board,
    percent,
    pick_score,
    stop,
    tell_signature,
    text_colour,
)  # fmt: skip

from zgbench.board.cited import cited_rows
from zgbench.board.entry import SCORES
from zgbench.board.ranking import APART, RULE, Filters, ranking
from zgbench.board.ranking_text import rank_of, ranking_csv, ranking_latex
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError

SHOWN = 25
FILTERS = {
    "all": Filters(),
    "free": Filters(text_guidance=False, segmentation_labels=False),
    "text-guided": Filters(text_guidance=True),
    "trained on labels": Filters(segmentation_labels=True),
}
CITED = {"iou": "IoU", "recall": "Recall", "tgq": "TGQ", "rating": "Ratings"}
FURTHER = {"segments": "Segments", "kept": "Kept", "kind": "Kind", "better": "Better methods"}


def plot(rows: list[dict[str, Any]], score: str) -> None:
    """A dot and its interval for each method, the best on top."""
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
            "kind:N", title=None, legend=alt.Legend(orient="bottom", columns=1, labelLimit=300),
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
    line = base.mark_rule(strokeWidth=3, opacity=0.55, yOffset=8).encode(
        x=alt.X("low:Q", title=f"{SCORES[score]}, % (95 % interval)", scale=scale), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=90, opacity=1, yOffset=8).encode(x=alt.X("value:Q", scale=scale))
    # names stand above the intervals, not beside: beside them nothing would be left of a phone's width
    text = (
        base.mark_text(align="left", yOffset=-9, limit=330, fontSize=13)
        .encode(x=alt.value(0), text="name:N", color=alt.value(text_colour()))
        .transform_calculate(name="datum.rank + '  ' + datum.method")
    )
    st.altair_chart((line + dot + text).properties(height=alt.Step(42)))
    if len(rows) > len(shown):
        st.caption(f"The plot shows {len(shown)} of {methods(len(rows))}; the table has all.")


def table(rows: list[dict[str, Any]], group: Group, score: str) -> None:
    """All rows; those that are picked lead to the other pages."""
    shown_scores = dict.fromkeys([*group.scores, score])
    options = {**{key: SCORES[key] for key in shown_scores}, **FURTHER}
    default = [SCORES[key] for key in shown_scores] + ["Kept", "Kind"]
    picker, csv, latex = st.columns(3)
    with picker.popover("Columns", width="stretch"):
        columns = st.multiselect("Shown", list(options.values()), default=default, key="columns", bind="query-params")
    ordered = sorted((key for key, title in options.items() if title in columns), key=lambda key: key != score)
    name = f"zgbench-{group.dataset}-{group.key}"
    csv.download_button("CSV", ranking_csv(rows), f"{name}.csv", "text/csv", on_click="ignore", width="stretch")
    latex.download_button(
        "LaTeX", ranking_latex(rows, group), f"{name}.tex", "text/plain", on_click="ignore", width="stretch"
    )
    shown = {options[key]: key for key in ordered}
    methods_of = [row for row in rows if row["kind"] == "method"]
    ids = grid(methods_of, shown, "picked") if methods_of else []
    if apart := [row for row in rows if row["kind"] != "method"]:
        st.caption(APART)
        ids += grid(apart, shown, "picked_apart")
    where = {"dataset": group.dataset, "group": group.key}
    left, right = st.columns(2)
    if left.button("Open the ticked method", disabled=len(ids) != 1, width="stretch"):
        st.switch_page("method.py", query_params={**where, "method": ids[0]})
    if right.button("Compare the ticked methods", disabled=not 2 <= len(ids) <= 6, width="stretch"):
        st.switch_page("compare.py", query_params={**where, "methods": ",".join(ids)})


def grid(rows: list[dict[str, Any]], columns: dict[str, str], key: str) -> list[str]:
    """A table of these rows; gives the ids of those that are ticked."""
    frame = pd.DataFrame(
        {
            "Method": [row["name"] for row in rows],
            "Rank": [rank_of(row) for row in rows],
            **{title: [cell(row, column) for row in rows] for title, column in columns.items()},
        }
    )
    picked = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="multi-row", key=key,
        column_config={"Method": st.column_config.TextColumn(width=200, pinned=True)},
    )  # fmt: skip
    return [rows[k]["id"] for k in picked["selection"]["rows"] if k < len(rows)]


def cell(row: dict[str, Any], key: str) -> Any:
    """What stands in the table."""
    if key == "kind":
        return kind_of(row)
    return percent(row[key], row[f"{key}_low"], row[f"{key}_high"]) if key in SCORES else row[key]


def cited(dataset: str) -> None:
    """Published figures, beside the ranking and never in it."""
    rows = cited_rows(dataset)
    if not rows:
        return
    st.subheader("Cited figures")
    st.caption("Copied from publications, under other protocols: shown for orientation, never ranked.")
    frame = pd.DataFrame(
        {
            "Method": [row["method"] for row in rows],
            "Score": [CITED[row["score"]] for row in rows],
            "%": [percent(row["value"]) for row in rows],
            "Reassigned": [f"{row['reassign'] or ''} {row['verify'] or ''}".strip() for row in rows],
            "Images": [str(row["images"] or "–") for row in rows],
            "Given the classes": [row["given_classes"] for row in rows],
            "Trained on segmentation": [row["trained_on_segmentation"] for row in rows],
            "Remarks": [row["remarks"] for row in rows],
            "Source": [row["source"] for row in rows],
        }
    )
    st.dataframe(frame, hide_index=True)


def results(board: Board, dataset: str) -> None:
    """The methods that were scored here."""
    group = choose_protocol(board, dataset)
    tell_signature(group)
    if dataset == "mini":
        st.caption(
            "mini has drawn scenes, to try zgbench out. Some baselines use the truth to show what scores mean; the page "
            "Method says what each one is."
        )
    left, middle, right = st.columns([1, 2, 1])
    with left:
        score = pick_score(group)
    with middle:
        kind = st.pills("Show", list(FILTERS), default="all", key="show", bind="query-params") or "all"
    with right:
        text = st.text_input("Name contains", key="search", bind="query-params", max_chars=100)
    chosen = FILTERS[kind]
    try:
        rows = ranking(board, group.key, score, Filters(chosen.text_guidance, chosen.segmentation_labels, text))
    except ZgbenchError as error:
        stop("This ranking cannot be made.", error)
    if not rows:
        st.info("No method is like that.")
        return
    if len(rows) < len(group.ids):
        st.caption(f"{len(rows)} of {len(group.ids)} rows are shown; ranks and ties are those among all methods.")
    if not group.ranked:
        st.info("No method has been scored under this protocol yet.")
    plot(rows, score)
    st.caption(RULE)
    table(rows, group, score)


st.title("Ranking")
board = open_board()
published = [row["dataset"] for row in cited_rows()]
dataset = choose("Data set", {key: key for key in dict.fromkeys([*board.datasets(), *published])}, "dataset")
if dataset in board.datasets():
    results(board, dataset)
else:
    st.info("Nothing was scored here for this data set yet; what follows was published elsewhere.")
cited(dataset)
