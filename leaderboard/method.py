"""Method: what one submission is, and how its scores come about."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st
from shared import choose_group, choose_method, open_board, percent, said, stop, tell_signature

from zgbench.board import method as board_method
from zgbench.board.entry import SCORES, Entry
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError


def card(entry: Entry, group: Group) -> None:
    """What its authors say, and its scores. Addresses are shown, never linked: nobody has looked at them."""
    row = entry.row(group.key)
    st.text(entry.description or "No description was given.")
    facts = {
        "Kind": entry.kind if entry.kind == "method" else f"{entry.kind}, not ranked",
        "Address": entry.url or "–",
        "Guided by text": said(entry.text_guidance),
        "Trained on segmentation labels": said(entry.segmentation_labels),
        "Track": entry.track,
        "Images": f"{entry.images}{'' if entry.official else ' (not the official split)'}",
        "Segments": f"{row.kept} of {row.segments} kept",
        "Submission SHA-256": entry.submission_sha256,
    }
    st.text("\n".join(f"{name}: {value}" for name, value in facts.items()))
    scores = list(row.scores.items())
    for first in range(0, len(scores), 3):
        for column, (key, score) in zip(st.columns(3), scores[first : first + 3], strict=False):
            interval = None if score.low is None else f"[{100 * score.low:.1f}, {100 * score.high:.1f}]"
            shown = percent(score.value).strip()
            column.metric(f"{SCORES[key]}, %", shown, interval, delta_color="off", delta_arrow="off")
    for what, why in entry.unavailable.items():
        st.text(f"{what} was not scored: {why}")


def classes(board: Board, entry: Entry, group: Group) -> None:
    """IoU and recall of every class."""
    rows = [row for row in board_method.per_class(board, entry.id, group.key) if row["iou"] is not None]
    frame = pd.DataFrame(
        {
            "class": [row["class"] for row in rows] * 2,
            "score": ["IoU"] * len(rows) + ["Recall .5"] * len(rows),
            "percent": [None if row[key] is None else 100 * row[key] for key in ("iou", "recall") for row in rows],
            "images": [row["images"] for row in rows] * 2,
        }
    )
    order = [row["class"] for row in sorted(rows, key=lambda row: -row["iou"])]
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            y=alt.Y("class:N", sort=order, title=None, axis=alt.Axis(labelLimit=200)),
            yOffset="score:N",
            x=alt.X("percent:Q", title="%", scale=alt.Scale(domain=[0, 100])),
            color=alt.Color("score:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=["class:N", "score:N", alt.Tooltip("percent:Q", format=".1f"), "images:Q"],
        )
        .properties(height=alt.Step(9))
    )
    with st.container(height=min(640, 90 + 26 * len(rows))):
        st.altair_chart(chart)


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
        .properties(height=300)
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
    line = (
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
    st.altair_chart((line + own).properties(height=300))
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
            hide_index=True,
        )
    with right:
        st.altair_chart(
            alt.Chart(pd.DataFrame(found.lengths))
            .mark_bar()
            .encode(
                x=alt.X("words:O", title="Words in a label", axis=alt.Axis(labelAngle=0)),
                y=alt.Y("segments:Q", title="Segments"),
            )
            .properties(height=300)
        )


def ratings(board: Board, entry: Entry) -> None:
    """What people said, where they were asked."""
    rows = board_method.ratings(board, entry.id)
    if not rows:
        return
    st.subheader("Human ratings")
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
        .properties(height=260)
    )


st.title("Method")
board = open_board()
group = choose_group(board)
tell_signature(group)
entry = choose_method(board, group)
try:
    card(entry, group)
    if group.reassign != "TGQ":
        st.subheader("By class")
        classes(board, entry, group)
        left, right = st.columns(2)
        with left:
            st.subheader("Recall over τ_IoU")
            recall(board, entry, group)
        with right:
            st.subheader("Scores over τ")
            thresholds(board, entry, group)
    st.subheader("Labels")
    labels(board, entry)
    ratings(board, entry)
except ZgbenchError as error:
    stop("The files of this method cannot be read.", error)
