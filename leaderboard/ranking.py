"""Ranking: who is best, by how much and how surely; one data set, one protocol signature, ranks that tie."""

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
    line,
    methods,
    open_board,
    percent,
    pick_score,
    shown_as,
    stop,
    tell_protocol,
    tell_unofficial,
    text_colour,
)  # fmt: skip

from zgbench.board.cited import PAPER, cited_rows
from zgbench.board.entry import SCORES
from zgbench.board.leader import leader, sentences
from zgbench.board.links import https_link, page_address
from zgbench.board.ranking import APART, RULE, Filters, filtered, ranking
from zgbench.board.ranking_text import rank_of, ranking_csv, ranking_json, ranking_latex
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError

TASK = (
    "A method cuts a photo into segments and names each in free text, with no class list, no text query and no "
    "segmentation labels. Each name is mapped to a class of the data set and compared with the ground truth; every number "
    "here was worked out by zgbench from the submitted segments themselves."
)
SHOWN = 25
ROWS = 8  # of the table before it scrolls: the plot below it stays in sight
FILTERS = {
    "all": Filters(),
    "free": Filters(text_guidance=False, segmentation_labels=False),
    "text-guided": Filters(text_guidance=True),
    "trained on labels": Filters(segmentation_labels=True),
}
CITED = "cited"
CITED_SCORES = {"iou": "IoU", "recall": "Recall", "tgq": "TGQ"}
FURTHER = {"segments": "Segments", "kept": "Kept", "kind": "Kind", "better": "Better methods"}


def verdict(board: Board, group: Group, score: str, rows: list[dict[str, Any]]) -> None:
    """Who is best, by how much, whether that is sure, and where its paper is."""
    found = leader(board, group, score, rows)
    if found is None:
        st.info("No method has been scored under this protocol yet.")
        return
    with st.container(border=True, gap="xsmall"):
        st.text("\n".join(sentences(found, score)))
        with line():
            links(found.best, group)


def links(row: dict[str, Any], group: Group) -> None:
    """Where a method is described: its page here, its paper."""
    where = {"dataset": group.dataset, "group": group.key, "method": row["id"]}
    st.page_link("method.py", label="Its page", icon=":material/article:", query_params=where)
    for what, icon in (("paper", "description"), ("code", "code")):
        if address := https_link(row[what]):
            st.page_link(address, label=f"Its {what}", icon=f":material/{icon}:")


def plot(rows: list[dict[str, Any]], score: str) -> None:
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
            "kind:N", title=None, legend=alt.Legend(orient="top", labelLimit=300),
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
    # the name stands over its dot, but never outside of the plot: its width is estimated, 6.4 pixels a letter
    half = "3.2 * min(length(datum.name), width / 6.4)"
    text = (
        base.mark_text(
            align="center", yOffset=-8, fontSize=13, limit=alt.expr("width"),
            x=alt.expr(f"clamp(scale('x', datum.value), {half}, width - {half})"),
        )
        .encode(text="name:N", color=alt.value(text_colour()))
        .transform_calculate(name="(datum.rank == '–' ? '' : datum.rank + '  ') + datum.method")
    )  # fmt: skip
    st.altair_chart(
        (rule + dot + text).properties(height=alt.Step(31)),
        alt=f"{SCORES[score]} of {methods(len(shown))} with 95 % intervals, best on top; the table has the numbers.",
    )
    if len(rows) > len(shown):
        st.caption(f"The plot shows {len(shown)} of {len(rows)} rows; the table has all.")


def tools(rows: list[dict[str, Any]], group: Group, score: str) -> list[str]:
    """Which columns are shown, and the ranking to take away; gives the columns, the chosen score first."""
    options = {**{key: SCORES[key] for key in group.scores}, **FURTHER}
    default = [SCORES[key] for key in group.scores] + ["Kind"]
    with st.popover("Columns"):
        columns = st.multiselect("Shown", list(options.values()), default=default, key="columns", bind="query-params")
    name = f"zgbench-{group.dataset}-{group.key}"
    for form, text, ending in (
        ("CSV", ranking_csv(rows), "csv"),
        ("JSON", ranking_json(rows, group, score), "json"),
        ("LaTeX", ranking_latex(rows, group), "tex"),
    ):
        st.download_button(form, text, f"{name}.{ending}", "text/plain", on_click="ignore")
    return sorted((key for key, title in options.items() if title in columns), key=lambda key: key != score)


def grid(rows: list[dict[str, Any]], columns: list[str], group: Group, key: str, alt: str) -> list[str]:
    """A table of these rows; gives the ids of those that are ticked."""
    titles = {**SCORES, **FURTHER}
    addresses = {title: [https_link(row[key]) for row in rows] for title, key in (("Paper", "paper"), ("Code", "code"))}
    frame = pd.DataFrame(
        {
            "Rank": pd.array([row["rank"] for row in rows], dtype="Int64"),
            "Method": [
                page_address("method", dataset=group.dataset, group=group.key, method=row["id"]) for row in rows
            ],
            **{titles[column]: [value(row, column) for row in rows] for column in columns},
            **{title: found for title, found in addresses.items() if any(found)},
        }
    )
    texts = {
        "Rank": [rank_of(row) for row in rows],
        "Method": [row["name"] for row in rows],
        **{
            titles[c]: [percent(row[c], row[f"{c}_low"], row[f"{c}_high"]) for row in rows]
            for c in columns
            if c in SCORES
        },
    }
    picked = st.dataframe(
        shown_as(frame, texts), hide_index=True, on_select="rerun", selection_mode="multi-row", key=key, alt=alt,
        placeholder="–",
        height=35 * (min(ROWS, len(rows)) + 1) + 3,
        column_config={
            "Rank": st.column_config.Column(width=62, pinned=True),
            "Method": st.column_config.LinkColumn(width=280, pinned=True, alignment="left"),
            "Paper": st.column_config.LinkColumn(display_text="paper", width=70),
            "Code": st.column_config.LinkColumn(display_text="code", width=70),
        },
    )  # fmt: skip
    return [rows[k]["id"] for k in picked["selection"]["rows"] if k < len(rows)]


def value(row: dict[str, Any], key: str) -> Any:
    """By what a cell sorts."""
    if key == "kind":
        return kind_of(row)
    return row[key] if key not in SCORES or row[key] is None else 100 * row[key]


def cited(dataset: str) -> None:
    """Published figures, never ranked."""
    rows = cited_rows(dataset)
    st.caption("Copied from publications, under other protocols: shown for orientation, never ranked.")
    frame = pd.DataFrame(
        {
            "Method": [row["method"] for row in rows],
            "Score": [CITED_SCORES.get(row["score"], row["score"].capitalize()) for row in rows],
            "%": [100 * row["value"] for row in rows],
            "Reassigned": [f"{row['reassign'] or ''} {row['verify'] or ''}".strip() for row in rows],
            "Images": [row["images"] for row in rows],
            "Given the classes": [row["given_classes"] for row in rows],
            "Trained on segmentation": [row["trained_on_segmentation"] for row in rows],
            "Table": [row["table"] for row in rows],
            "Remarks": [row["remarks"] for row in rows],
        }
    )
    st.dataframe(
        frame, hide_index=True, alt=f"Cited figures for {dataset}", placeholder="–",
        column_config={"Method": st.column_config.Column(width=280, pinned=True), "%": st.column_config.NumberColumn(format="%.1f")},
    )  # fmt: skip
    with line():
        st.page_link(PAPER, label="The paper of these tables", icon=":material/description:")


def cited_only() -> None:
    """The paper's figures, as a data set of their own."""
    published = list(dict.fromkeys(row["dataset"] for row in cited_rows()))
    of = st.pills("Of the data set", published, default=published[0], key="of", bind="query-params", required=True)
    cited(of or published[0])


def results(board: Board, dataset: str, controls: Any) -> None:
    """The methods that were scored here."""
    with controls:
        group = choose_protocol(board, dataset)
        score = pick_score(group)
        tell_protocol(group)
    tell_unofficial(group)
    try:
        whole = ranking(board, group.key, score)
        verdict(board, group, score, whole)
    except ZgbenchError as error:
        stop("This ranking cannot be made.", error)
    with line():
        kind = st.pills(
            "Show", list(FILTERS), default="all", key="show", bind="query-params", label_visibility="collapsed"
        )
        text = st.text_input(
            "Name contains", key="search", bind="query-params", max_chars=100, width=200, label_visibility="collapsed",
            placeholder="name contains",
        )  # fmt: skip
        chosen = FILTERS[kind or "all"]
        rows = filtered(board, whole, Filters(chosen.text_guidance, chosen.segmentation_labels, text))
        columns = tools(rows, group, score)
        compare = st.container(width="content")
    if not rows:
        st.info("No method is like that.")
        return
    if len(rows) < len(group.ids):
        st.caption(f"{len(rows)} of {len(group.ids)} rows are shown; ranks and ties are those among all methods.")
    ranked = [row for row in rows if row["kind"] == "method"]
    ids = (
        grid(ranked, columns, group, "picked", f"Ranking of {methods(len(ranked))} by {SCORES[score]}")
        if ranked
        else []
    )
    plot(rows, score)
    if apart := [row for row in rows if row["kind"] != "method"]:
        st.caption(APART)
        ids += grid(apart, columns, group, "picked_apart", "Baselines and ceilings, not ranked")
    st.caption(RULE)
    if compare.button("Compare the ticked", disabled=not 2 <= len(ids) <= 6, help="Tick two to six rows."):
        where = {"dataset": group.dataset, "group": group.key, "methods": ",".join(ids)}
        st.switch_page("compare.py", query_params=where)
    if cited_rows(dataset):
        st.subheader("Cited figures")
        cited(dataset)


st.title("Zero-guidance segmentation")
board = open_board()
st.caption(TASK)
published = {row["dataset"] for row in cited_rows()}
if st.query_params.get("dataset") in published.difference(board.datasets()):  # a link from before
    st.query_params["of"] = st.query_params["dataset"]
    st.query_params["dataset"] = CITED
controls = line()
with controls:
    datasets = {**{key: key for key in board.datasets()}, CITED: "cited from the paper"}
    dataset = choose("Data set", datasets, "dataset", first=board.start(), width=180)
if dataset == CITED:
    cited_only()
else:
    results(board, dataset, controls)
