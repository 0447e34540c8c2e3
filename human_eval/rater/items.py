"""What raters disagree about most, with its pictures, and what they say about items."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from rater import session
from rater.pictures import picture, words
from rater.stage import plain
from zgbench.errors import DataError
from zgbench.ratings import disputed
from zgbench.ratings.comments import list_comments

_SHOWN = 12


def show() -> None:
    """Disputed items, and comments."""
    found = disputed(session.store(), _SHOWN)
    st.header("Most disputed", anchor=False)
    if not found:
        st.info("No item has two scores that differ.", icon=":material/info:")
    for one in found:
        with st.container(border=True, key=f"disputed-{one.item.id}"):
            left, right = st.columns([2, 3], vertical_alignment="center")
            try:
                left.image(
                    picture(one.item, "outline"), width="stretch", alt="The photo, with the item's segment outlined"
                )
            except DataError:
                left.error("The picture cannot be shown.")
            right.markdown("**Label**")
            right.text(plain(words(one.item)))
            right.text("\n".join(f"{score} · {plain(name)}" for name, score in one.answers))
            right.caption(f"{plain(one.item.image_id)} · two raters are {one.spread:.1f} apart")
    store = session.store()
    comments = store.database.read(lambda connection: list_comments(connection, store.study.id))
    st.header("Comments", anchor=False)
    if not comments:
        st.info("Nobody has said anything about an item.", icon=":material/info:")
        return
    st.dataframe(
        [
            {
                "when (UTC)": f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M}", "rater": plain(one.name),
                "image": plain(one.image_id), "label": plain(one.label), "comment": plain(one.text),
            }
            for one in comments
        ],
        hide_index=True, width="stretch", key="comments",
    )  # fmt: skip
