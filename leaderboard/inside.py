"""Look inside: photo, truth and prediction of one image, and what became of every segment."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from shared import choose, choose_group, choose_method, data_folder, names, open_board, percent, stop, tell_signature

from zgbench.board.entry import Entry
from zgbench.board.inside import image_table, pictures, search, segment_table
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError

ORDERS = {"split": "Order of the split", "best": "Best first", "worst": "Worst first", "different": "Most different"}


def images(board: Board, group: Group, entry: Entry) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images to look through, in the order that was asked for, and all segments."""
    others = {key: name for key, name in names(board, group.ids).items() if key != entry.id}
    first, second, third, fourth = st.columns([2, 2, 2, 1])
    with second:
        other = choose("Beside it", {"": "no other method", **others}, "other") or None
    with first:
        order = choose("Images", {k: v for k, v in ORDERS.items() if k != "different" or other}, "order")
    with third:
        text = st.text_input("Search", key="find", bind="query-params", max_chars=100, placeholder="label or class")
    with fourth:
        by = st.selectbox("in", ["any", "label", "class"], key="by", bind="query-params")
    if st.session_state.setdefault("looked_for", (order, other, text, by)) != (order, other, text, by):
        st.session_state["looked_for"] = (order, other, text, by)  # another list: begin with its first image
        for state in (st.session_state, st.query_params):
            state.pop("image", None)
        st.session_state.pop("last_image", None)
    segments = segment_table(board, entry.id, group.key)
    found = image_table(board, entry.id, group.key, order, other)
    if text.strip():
        hits = search(segments, text.strip(), by)
        found = found[found["image_id"].isin(set(hits["image_id"]))]
        st.caption(f"{len(hits)} segments in {len(found)} images")
    return found, segments


def step(ids: list[str], by: int) -> None:
    """To the next image, or the one before."""
    at = ids.index(st.session_state["image"]) if st.session_state.get("image") in ids else 0
    st.session_state["image"] = ids[(at + by) % len(ids)]


def pick(found: pd.DataFrame) -> str:
    """The image that is looked at."""
    columns = [found[key].map(value) for key in ("iou", "other_iou") if key in found]
    titles = {
        image: f"{image} – IoU {', other '.join(percent(one).strip() for one in scores)}"
        for image, *scores in zip(found["image_id"], *columns, strict=True)
    }
    ids = list(titles)
    box, back, forth = st.columns([6, 1, 1], vertical_alignment="bottom")
    with box:
        image = choose(f"Image ({len(ids)})", titles, "image")
    back.button("Before", on_click=step, args=(ids, -1), width="stretch")
    forth.button("Next", on_click=step, args=(ids, 1), width="stretch")
    return image


def value(number: Any) -> float | None:
    """A cell of a table, None where it is empty."""
    return None if number is None or pd.isna(number) else float(number)


def show(board: Board, group: Group, entry: Entry, image: str, other: Entry | None) -> None:
    """The pictures, or why there are none."""
    found = pictures(board, entry.id, image, data_folder(), group.key)
    second = pictures(board, other.id, image, data_folder(), group.key) if other is not None else None
    shown = [("Photo", found.photo), ("Truth", found.truth), (entry.name, found.prediction)]
    if other is not None and second is not None:
        shown.append((other.name, second.prediction))
    there = [(title, picture) for title, picture in shown if picture is not None]
    if there:
        for column, (title, picture) in zip(st.columns(len(there), vertical_alignment="bottom"), there, strict=True):
            with column:
                st.text(title)
                st.image(picture, width="stretch")
    if entry.track == "free" and found.prediction is not None:
        st.caption("A predicted segment has the colour of the class that its label became; a rejected one is grey.")
    for why in dict.fromkeys((*found.missing, *(second.missing if second is not None else ()))):
        st.info("Not everything can be shown:")
        st.text(why)


def table(segments: pd.DataFrame, image: str) -> None:
    """What became of every segment."""
    rows = segments[segments["image_id"] == image]
    if rows.empty:
        st.text("No segments in this image.")
        return
    shown = pd.DataFrame(
        {
            "Segment": rows["segment"],
            "Label": rows["label"],
            "→ class": rows["class"],
            "Similarity": [f"{x:.3f}" for x in rows["similarity"]],
            "Kept": ["kept" if kept else "rejected" for kept in rows["kept"]],
            "Why": rows["why"],
            "IoU, %": [percent(value(x)) for x in rows["iou"]],
            "Covers": rows["covers"],
            "Covers, IoU %": [percent(value(x)) for x in rows["covers_iou"]],
            "Pixels": rows["pixels"],
        }
    )
    if rows["rated"].notna().any():
        shown["Rated"] = ["–" if value(x) is None else f"{x:g}" for x in rows["rated"]]
    st.dataframe(shown, hide_index=True)


st.title("Look inside")
board = open_board()
group = choose_group(board, tgq=False)
tell_signature(group)
entry = choose_method(board, group)
try:
    found, segments = images(board, group, entry)
    if found.empty:
        st.info("No segment is like that.")
        st.stop()
    chosen = pick(found)
    other = st.session_state["other"]
    show(board, group, entry, chosen, board.entry(other) if other else None)
    table(segments, chosen)
except ZgbenchError as error:
    stop("The files of this method cannot be read.", error)
