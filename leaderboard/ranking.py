"""Ranking: who is best, by how much and how surely; one data set, one protocol signature, ranks that tie."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from plots import intervals, timeline
from shared import (
    choose,
    choose_protocol,
    kind_of,
    line,
    methods,
    named_links,
    open_board,
    percent,
    pick_score,
    stop,
    tell_protocol,
    tell_unofficial,
)  # fmt: skip

from zgbench.board.cited import PAPER, cited_rows
from zgbench.board.entry import SCORES, sentence
from zgbench.board.leader import leader, sentences
from zgbench.board.links import https_link, page_address
from zgbench.board.power import power_of, told
from zgbench.board.ranking import APART, RULE, Filters, filtered, ranking
from zgbench.board.ranking_text import as_json, rank_cell, ranking_csv, ranking_latex, ranking_record
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError

TASK = (
    "A method cuts a photo into segments and names each in free text, with no class list, no text query and no "
    "segmentation labels. Each name is mapped to a class of the data set and compared with the ground truth; every number "
    "here was worked out by zgbench from the submitted segments themselves."
)
ROWS = 8  # of the table before it scrolls: the plot below it stays in sight
FILTERS = {
    "all": Filters(),
    "free": Filters(text_guidance=False, segmentation_labels=False),
    "text-guided": Filters(text_guidance=True),
    "trained on labels": Filters(segmentation_labels=True),
}
CITED = "cited"
CITED_SCORES = {"iou": "IoU", "recall": "Recall", "tgq": "TGQ"}
FURTHER = {
    "places": "Places [95 %]",
    "segments": "Segments",
    "kept": "Kept",
    "kind": "Kind",
    "better": "Better methods",
}


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


def tools(rows: list[dict[str, Any]], group: Group, score: str) -> list[str]:
    """Which columns are shown, and the ranking to take away; gives the columns, the chosen score first."""
    shown_scores = dict.fromkeys([*group.scores, score])
    options = {**{key: SCORES[key] for key in shown_scores}, **FURTHER}
    default = [SCORES[key] for key in shown_scores] + ["Places [95 %]", "Kind"]
    with st.popover("Columns"):
        columns = st.multiselect("Shown", list(options.values()), default=default, key="columns", bind="query-params")
    name = f"zgbench-{group.dataset}-{group.key}"
    for form, text, ending in (
        ("CSV", partial(ranking_csv, rows), "csv"),
        ("JSON", lambda: as_json(ranking_record(rows, group, score)), "json"),
        ("LaTeX", partial(ranking_latex, rows, group), "tex"),
    ):  # written when they are asked for
        st.download_button(form, text, f"{name}.{ending}", "text/plain", on_click="ignore")
    return sorted((key for key, title in options.items() if title in columns), key=lambda key: key != score)


def grid(rows: list[dict[str, Any]], columns: list[str], group: Group, key: str, alt: str) -> list[str]:
    """A table of these rows; gives the ids of those that are ticked."""
    titles = {**SCORES, **FURTHER}
    addresses = {title: [https_link(row[key]) for row in rows] for title, key in (("Paper", "paper"), ("Code", "code"))}
    frame = pd.DataFrame(
        {
            "Rank": [rank_cell(row) for row in rows],
            "Method": [
                page_address("method", row["name"], dataset=group.dataset, group=group.key, method=row["id"])
                for row in rows
            ],
            **{titles[column]: [cell(row, column) for row in rows] for column in columns},
            **{title: found for title, found in addresses.items() if any(found)},
        }
    )
    picked = st.dataframe(
        frame, hide_index=True, on_select="rerun", selection_mode="multi-row", key=key, alt=alt,
        placeholder="–",
        height=35 * (min(ROWS, len(rows)) + 1) + 3,
        column_config={
            "Rank": st.column_config.Column(width=62, pinned=True, alignment="right"),
            "Method": named_links("Method"),
            **{SCORES[column]: st.column_config.Column(alignment="right") for column in columns if column in SCORES},
            "Paper": st.column_config.LinkColumn(display_text="paper", width=70),
            "Code": st.column_config.LinkColumn(display_text="code", width=70),
        },
    )  # fmt: skip
    return [rows[k]["id"] for k in picked["selection"]["rows"] if k < len(rows)]


def cell(row: dict[str, Any], key: str) -> Any:
    """What stands in the table; texts of fixed width, so that they sort as their numbers do."""
    if key == "kind":
        return kind_of(row)
    if key == "places":
        return "–" if row["rank_low"] is None else f"{row['rank_low']:>4}–{row['rank_high']}"
    return percent(row[key], row[f"{key}_low"], row[f"{key}_high"]) if key in SCORES else row[key]


def cited(dataset: str) -> None:
    """Published figures, never ranked."""
    rows = cited_rows(dataset)
    st.caption("Copied from publications, under other protocols: shown for orientation, never ranked.")
    frame = pd.DataFrame(
        {
            "Method": [row["method"] for row in rows],
            "Score": [CITED_SCORES.get(row["score"], row["score"].capitalize()) for row in rows],
            "%": [percent(row["value"]) for row in rows],
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
        column_config={"Method": st.column_config.Column(width=400), "%": st.column_config.Column(alignment="right")},
    )  # fmt: skip
    with line():
        st.page_link(PAPER, label="The paper of these tables", icon=":material/description:")


def given(row: dict[str, Any]) -> str:
    """What a cited method was given: one of KINDS."""
    if row["trained_on_segmentation"]:
        return "trained on segmentation labels"
    return "text-guided" if row["given_classes"] else "free"


def cited_only(controls: Any) -> None:
    """The paper's figures, as a data set of their own."""
    published = dict.fromkeys(row["dataset"] for row in cited_rows())
    with controls:
        of = choose("On", {key: key for key in published}, "of", width=150)
    cited(of)
    rows = [row for row in cited_rows(of) if row["score"] == "iou"]
    timeline([row | {"name": row["method"], "shown_kind": given(row)} for row in rows], "IoU")


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
    intervals(rows, score)
    if apart := [row for row in rows if row["kind"] != "method"]:
        st.caption(APART)
        ids += grid(apart, columns, group, "picked_apart", "Baselines and ceilings, not ranked")
    st.text(sentence(score))
    st.caption(told(power_of(board, group, score), group, score))
    st.caption(RULE)
    timeline(
        [row | {"value": row[score], "shown_kind": kind_of(row)} for row in rows if row["kind"] == "method"],
        SCORES[score],
    )
    if compare.button("Compare the ticked", disabled=not 2 <= len(ids) <= 6, help="Tick two to six rows."):
        where = {"dataset": group.dataset, "group": group.key, "methods": ",".join(ids)}
        st.switch_page("compare.py", query_params=where)
    if cited_rows(dataset):
        st.header("Cited figures")
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
    cited_only(controls)
else:
    results(board, dataset, controls)
