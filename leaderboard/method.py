"""Method: what one submission is, and how its scores come about."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st
from shared import (
    choose,
    choose_group,
    choose_method,
    line,
    named_links,
    open_board,
    percent,
    said,
    stop,
    tell_protocol,
    tell_unofficial,
)

from zgbench.board import method as board_method
from zgbench.board.badge import badge
from zgbench.board.entry import SCORES, Entry, ScoreRow
from zgbench.board.history import history, successor
from zgbench.board.links import https_link, page_address
from zgbench.board.ranking import ranking
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError

CLASSES = 24  # in the plot at once
SHORT = 400  # characters of a description that need not be unfolded


def card(board: Board, entry: Entry, group: Group) -> None:
    """What its authors and the board's keeper say, and its scores. Only plain https addresses are linked."""
    row, about = entry.row(group.key), entry.card
    with line():
        for what, address in (("Paper", about.paper or entry.url), ("Code", about.code)):
            if target := https_link(address):
                st.page_link(target, label=what, icon=":material/open_in_new:")
        if (later := successor(board, entry)) is not None:
            st.page_link(
                "method.py", label="Superseded: see the later one", icon=":material/update:", query_params=where(later)
            )
        share(board, entry, group)
    zero_shot, seen = about.zero_shot(), about.trained_on(entry.dataset)
    said_of_it = {
        "Authors": about.authors,
        "Year": about.year,
        "Paper": about.paper or entry.url,
        "Code": about.code,
        "Licence": about.licence,
        "Models": ", ".join(about.models),
        "Parameters": None if about.parameters is None else f"{about.parameters:,}",
        "Training data": None if about.training_data is None else ", ".join(about.training_data) or "none",
        "Zero-shot": None
        if zero_shot is None
        else f"saw no photo of {zero_shot[0]} of {zero_shot[1]} data sets{'; this one it saw' if seen else ''}",
        "What it needed": about.needed,
    }
    found = {
        "Kind": entry.kind if entry.kind == "method" else f"{entry.kind}, not ranked",
        "Guided by text": said(entry.text_guidance),
        "Trained on segmentation labels": said(entry.segmentation_labels),
        "Track": entry.track,
        "Images": f"{entry.images}{'' if entry.official else ' (not the official split)'}",
        "Segments": f"{row.kept} of {row.segments} kept",
        "Submission, SHA-256": entry.submission_sha256,
    }
    for column, facts in zip(st.columns(2), (said_of_it, found), strict=True):
        column.text("\n".join(f"{what}: {value or 'not said'}" for what, value in facts.items()))
    with st.expander("Description", expanded=len(entry.description) <= SHORT):
        st.text(entry.description or "No description was given.")
    for what, why in entry.unavailable.items():
        st.text(f"{what} was not scored: {why}")


def scores(row: ScoreRow) -> None:
    """Every score with its interval."""
    with line():
        for key, score in row.scores.items():
            interval = None if score.low is None else f"[{100 * score.low:.1f}, {100 * score.high:.1f}]"
            shown = percent(score.value).strip()
            st.metric(f"{SCORES[key]}, %", shown, interval, delta_color="off", delta_arrow="off", width=150)


def where(entry: Entry, group: Group | None = None) -> dict[str, str]:
    """What stands in the address of a method's page."""
    return {"dataset": entry.dataset, "method": entry.id} | ({"group": group.key} if group is not None else {})


def share(board: Board, entry: Entry, group: Group) -> None:
    """The permanent address of this row, and a badge for a project page."""
    with st.popover("Address and badge"):
        st.text("Permanent address of this row:")
        here = (st.context.url or "").partition("?")[0].rpartition("/")[0]
        st.code(f"{here}/{page_address('method', **where(entry, group))}", language=None, wrap_lines=True)
        found = next(row for row in ranking(board, group.key, group.scores[0]) if row["id"] == entry.id)
        svg = badge(found, group, group.scores[0])
        st.image(svg, alt="Badge of this row")
        st.download_button("Badge (SVG)", svg, "zgbench-badge.svg", "image/svg+xml", on_click="ignore")


def results(board: Board, entry: Entry) -> None:
    """All that was scored of this method, here and of its other versions."""
    rows = history(board, entry)
    frame = pd.DataFrame(
        {
            "Result": [page_address("method", r.entry.name, **where(r.entry, r.group)) for r in rows],
            "Version": [r.version for r in rows],
            "Year": [r.entry.card.year for r in rows],
            "Data set": [r.group.dataset for r in rows],
            "Protocol": [r.group.title for r in rows],
            "Score": [SCORES[r.group.scores[0]] for r in rows],
            "%": [percent(r.score.value, r.score.low, r.score.high) for r in rows],
        }
    )
    st.dataframe(
        frame, hide_index=True, placeholder="–", alt="All results of this method",
        column_config={"Result": named_links("Result"), "%": st.column_config.Column(alignment="right")},
    )  # fmt: skip


def classes(board: Board, entry: Entry, group: Group) -> None:
    """IoU and recall of the classes, so many at once that the axis stays in sight."""
    rows = [row for row in board_method.per_class(board, entry.id, group.key) if row["iou"] is not None]
    ordered = sorted(rows, key=lambda row: -row["iou"])
    parts = {
        str(k): f"{k + 1}–{min(k + CLASSES, len(rows))} of {len(rows)}, best first"
        for k in range(0, len(rows), CLASSES)
    }
    first = int(choose("Classes", parts, "classes_from", width=260)) if len(parts) > 1 else 0
    rows = ordered[first : first + CLASSES]
    frame = pd.DataFrame(
        {
            "class": [row["class"] for row in rows] * 2,
            "score": ["IoU"] * len(rows) + ["Recall .5"] * len(rows),
            "percent": [None if row[key] is None else 100 * row[key] for key in ("iou", "recall") for row in rows],
            "images": [row["images"] for row in rows] * 2,
        }
    )
    st.altair_chart(
        alt.Chart(frame)
        .mark_point(size=70, filled=True, opacity=1)
        .encode(
            y=alt.Y(
                "class:N",
                sort=[row["class"] for row in rows],
                title=None,
                axis=alt.Axis(labelLimit=200, labelFontSize=12, grid=True),
            ),
            x=alt.X(
                "percent:Q",
                title="%",
                scale=alt.Scale(domain=[0, 100]),
                axis=alt.Axis(orient="top", tickCount=5, labelFontSize=12),
            ),
            color=alt.Color(
                "score:N", title=None, legend=alt.Legend(orient="top"), scale=alt.Scale(range=["#3b78e7", "#d55e00"])
            ),
            shape=alt.Shape("score:N", title=None),
            tooltip=["class:N", "score:N", alt.Tooltip("percent:Q", format=".1f"), "images:Q"],
        )
        .properties(height=alt.Step(20)),
        alt="IoU and recall of each class, best first",
    )


def recall(board: Board, entry: Entry, group: Group) -> None:
    """Recall over the IoU that counts as found."""
    frame = pd.DataFrame(board_method.recall_curve(board, entry.id, group.key))
    frame["percent"] = 100 * frame["recall"]
    st.altair_chart(
        alt.Chart(frame)
        .mark_area(line=True, opacity=0.25)
        .encode(
            x=alt.X("tau_iou:Q", title="τ_IoU", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("percent:Q", title="Recall, %", scale=alt.Scale(domain=[0, 100])),
            tooltip=[alt.Tooltip("tau_iou:Q", format=".2f"), alt.Tooltip("percent:Q", format=".1f")],
        )
        .properties(height=300),
        alt="Recall over the IoU from which a segment counts as found",
    )


def thresholds(board: Board, entry: Entry, group: Group) -> None:
    """Scores over the verification's threshold, the protocol's own marked."""
    rows = board_method.threshold_curve(board, entry.id, group.key)
    if not rows:
        st.caption("Verified by people: there is no threshold.")
        return
    titles = {
        "iou_image": SCORES["iou_image"],
        "iou_dataset": SCORES["iou_dataset"],
        "recall": "Recall .5",
        "kept": "Segments kept",
    }
    frame = pd.DataFrame(rows)
    long = frame.melt("tau", list(titles), "score", "value").dropna(subset=["value"])
    long["percent"], long["score"] = 100 * long["value"], long["score"].map(titles)
    curves = (
        alt.Chart(long)
        .mark_line()
        .encode(
            x=alt.X("tau:Q", title="τ"),
            y=alt.Y("percent:Q", title="%"),
            color=alt.Color("score:N", title=None, legend=alt.Legend(orient="top", columns=2)),
            tooltip=["score:N", alt.Tooltip("tau:Q", format=".2f"), alt.Tooltip("percent:Q", format=".1f")],
        )
    )
    own = alt.Chart(frame[frame["chosen"]]).mark_rule(strokeDash=[4, 4], color="#8a93a3").encode(x="tau:Q")
    st.altair_chart((curves + own).properties(height=300), alt="Scores over the threshold of verification")
    st.caption(
        "Dashed: the protocol's own threshold. Choosing another one by these curves would be fitting the test set."
    )


def labels(board: Board, entry: Entry) -> None:
    """What the method calls things."""
    found = board_method.label_statistics(board, entry.id)
    for warning in found.warnings:
        st.warning("Read these labels with care:")
        st.text(warning)
    st.text(
        f"{found.segments} segments, {found.vocabulary} different labels, {found.words:.1f} words a label, "
        f"{100 * found.generic:.0f} % generic ones"
    )
    left, right = st.columns(2)
    with left:
        st.dataframe(
            pd.DataFrame(
                {
                    "Label": [row["label"] for row in found.frequent],
                    "Segments": [row["segments"] for row in found.frequent],
                    "%": [percent(row["share"]) for row in found.frequent],
                }
            ),
            hide_index=True, alt="The most frequent labels",
        )  # fmt: skip
    with right:
        st.altair_chart(
            alt.Chart(pd.DataFrame(found.lengths))
            .mark_bar()
            .encode(
                x=alt.X("words:O", title="Words in a label", axis=alt.Axis(labelAngle=0)),
                y=alt.Y("segments:Q", title="Segments"),
            )
            .properties(height=300),
            alt="How many words the labels have",
        )


def ratings(board: Board, entry: Entry) -> None:
    """What people said, where they were asked."""
    rows = board_method.ratings(board, entry.id)
    if not rows:
        return
    st.header("Human ratings")
    frame = pd.DataFrame(rows)
    frame["percent"] = 100 * frame["share"]
    st.altair_chart(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("rating:O", title="0 incorrect … 3 correct", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("percent:Q", title="% of rated segments"),
            xOffset="reassign:N",
            color=alt.Color("reassign:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=["rating:O", "reassign:N", "segments:Q", alt.Tooltip("percent:Q", format=".1f")],
        )
        .properties(height=260),
        alt="Share of each rating",
    )


st.title("Method")
board = open_board()
with line():
    group = choose_group(board)
    tell_protocol(group)
tell_unofficial(group)
entry = choose_method(board, group)
try:
    scores(entry.row(group.key))
    card(board, entry, group)
    st.header("All results")
    results(board, entry)
    if group.has_classes:
        st.header("By class")
        classes(board, entry, group)
        left, right = st.columns(2)
        with left:
            st.header("Recall over τ_IoU")
            recall(board, entry, group)
        with right:
            st.header("Scores over τ")
            thresholds(board, entry, group)
    st.header("Labels")
    labels(board, entry)
    ratings(board, entry)
except ZgbenchError as error:
    stop("The files of this method cannot be read.", error)
