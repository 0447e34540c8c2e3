"""Look inside: photo, ground truth and prediction of one image, and what became of every segment."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from shared import (
    choose,
    choose_group,
    choose_method,
    data_folder,
    line,
    names,
    open_board,
    percent,
    stop,
    tell_protocol,
    tell_unofficial,
)

from zgbench.board.entry import Entry
from zgbench.board.inside import image_table, search, segment_table
from zgbench.board.lost import STEPS
from zgbench.board.pictures import Pictures, pictures
from zgbench.board.store import Board, Group
from zgbench.errors import ZgbenchError

ORDERS = {"split": "Order of the split", "best": "Best first", "worst": "Worst first", "different": "Most different"}
TITLES = {"photo": "Photo", "truth": "Ground truth", "difference": "Difference"}


def images(board: Board, group: Group, entry: Entry, other: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images to look through, in the order that was asked for, and all segments."""
    with line():
        order = choose("Images", {k: v for k, v in ORDERS.items() if k != "different" or other}, "order", width=190)
        text = st.text_input("Search", key="find", bind="query-params", max_chars=100, placeholder="label or class")
        by = st.selectbox("In", ["any", "label", "class"], key="by", bind="query-params", width=100)
        lost = choose("Lost by", {"": "any or no step", **STEPS}, "lost", width=160)
    asked = (order, other, text, by, lost)
    if st.session_state.setdefault("looked_for", asked) != asked:
        st.session_state["looked_for"] = asked  # another list: begin with its first image
        for state in (st.session_state, st.query_params):
            state.pop("image", None)
        st.session_state.pop("last_image", None)
    segments = segment_table(board, entry.id, group.key)
    found = image_table(board, entry.id, group.key, order, other)
    if text.strip() or lost:
        hits = search(segments, text, by, lost)
        found = found[found["image_id"].isin(set(hits["image_id"]))]
        st.caption(f"{len(hits)} segments in {len(found)} images")
    return found, segments


def step(ids: list[str], by: int) -> None:
    """To the next image, or the previous one."""
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
    with line():
        image = choose(f"Image ({len(ids)})", titles, "image")
        st.button("Previous", on_click=step, args=(ids, -1))
        st.button("Next", on_click=step, args=(ids, 1))
    return image


def value(number: Any) -> float | None:
    """A cell of a table, None where it is empty."""
    return None if number is None or pd.isna(number) else float(number)


@st.dialog("Enlarged", width="large")
def enlarge(board: Board, group: Group, entry: Entry, image: str, other: Entry | None, key: str) -> None:
    """One picture at its full size, with the labels of small segments."""
    found = look(board, group, entry, image, other, large=True)
    st.text(title(key, entry, other))
    with st.container(key="enlarged"):
        st.image(getattr(found, key), width="content", alt=found.alt[key])


def look(board: Board, group: Group, entry: Entry, image: str, other: Entry | None, *, large: bool = False) -> Pictures:
    """The pictures of what is chosen."""
    return pictures(board, entry.id, image, data_folder(), group.key, other.id if other else None, large=large)


def title(key: str, entry: Entry, other: Entry | None) -> str:
    """What stands above a picture."""
    return TITLES.get(key) or (entry.name if key == "prediction" or other is None else other.name)


def show(board: Board, group: Group, entry: Entry, image: str, other: Entry | None) -> None:
    """The pictures, or why there are none."""
    found = look(board, group, entry, image, other)
    keys = [key for key in ("photo", "truth", "prediction", "other", "difference") if getattr(found, key) is not None]
    with st.container(key="pictures"):
        for key in keys:
            with st.container(key=f"picture-{key}", gap="xsmall"):
                st.text(title(key, entry, other))
                with st.container(key=f"frame-{key}"):
                    st.image(getattr(found, key), width="stretch", alt=found.alt[key])
                    if st.button(f"Enlarge {key}", key=f"enlarge-{key}"):
                        enlarge(board, group, entry, image, other, key)
    if keys:
        st.caption(
            "Click a picture to enlarge it; segments under 1 % of the image are named there. A predicted segment has the "
            "colour of the class that its label became; a rejected one is grey."
        )
    if found.shares:
        st.caption(
            f"Difference: **blue**, gained: only the first method is right ({percent(found.shares['gained']).strip()} % of the "
            f"pixels); **orange stripes**, lost: only the second ({percent(found.shares['lost']).strip()} %); **dark**: both "
            f"wrong ({percent(found.shares['both wrong']).strip()} %); light: both right."
        )
    if found.missing:
        st.info("Not everything can be shown:")
        st.text("\n".join(found.missing))


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
            "Kept": ["kept" if kept else "rejected" for kept in rows["kept"]],
            "Why": rows["why"],
            "Lost by": [STEPS.get(lost, "–") for lost in rows["lost"]],
            "IoU, %": [percent(value(x)) for x in rows["iou"]],
            "Covers": rows["covers"],
            "Covers, IoU %": [percent(value(x)) for x in rows["covers_iou"]],
            "Pixels": rows["pixels"],
        }
    )
    if rows["rated"].notna().any():
        shown["Rated"] = rows["rated"]
    st.dataframe(
        shown, hide_index=True, placeholder="–", alt=f"Segments of {image}",
        column_config={
            "Label": st.column_config.Column(width=200),
            **{key: st.column_config.Column(alignment="right") for key in ("IoU, %", "Covers, IoU %")},
        },
    )  # fmt: skip


st.title("Look inside")
board = open_board()
with line():
    group = choose_group(board, tgq=False)
    tell_protocol(group)
tell_unofficial(group)
with line():
    entry = choose_method(board, group)
    others = {key: name for key, name in names(board, board.best_first(group)).items() if key != entry.id}
    chosen_other = choose("Beside it", {"": "no other method", **others}, "other")
try:
    found, segments = images(board, group, entry, chosen_other or None)
    if found.empty:
        st.info("No segment is like that.")
        st.stop()
    chosen = pick(found)
    show(board, group, entry, chosen, board.entry(chosen_other) if chosen_other else None)
    table(segments, chosen)
except ZgbenchError as error:
    stop("The files of this method cannot be read.", error)
