"""Over data sets: methods side by side within one protocol family, Borda rank and mean."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from shared import choose, choose_several, open_board, percent, stop, unlike

from zgbench.board.entry import SCORES, Score
from zgbench.board.families import families
from zgbench.board.over_datasets import OverDatasets, over_datasets
from zgbench.board.over_datasets_text import as_csv, as_markdown, notes, rank_of
from zgbench.errors import ZgbenchError

MOST = 12


def cell(score: Score) -> str:
    """A score with its interval."""
    return percent(score.value, score.low, score.high)


def table(found: OverDatasets) -> None:
    """Methods, best first, then baselines and ceilings."""
    frame = pd.DataFrame(
        {
            "Method": [row.name for row in found.rows],
            "Rank [95 %]": [rank_of(row) for row in found.rows],
            "Borda": [row.points for row in found.rows],
            "Mean, %": [cell(row.mean) for row in found.rows],
            **{f"{key}, %": [cell(row.scores[key]) for row in found.rows] for key in found.datasets},
        }
    )
    st.dataframe(
        frame, hide_index=True, placeholder="–",
        column_config={"Method": st.column_config.TextColumn(width=280, pinned=True)},
    )  # fmt: skip


st.title("Over data sets")
board = open_board()
every = {family.key: family for family in families(board)}
if not every:
    st.info("No result is of a whole official split.")
    st.stop()
family = every[choose("Protocol family", unlike({key: one.title for key, one in every.items()}), "family")]
left, right = st.columns([3, 1])
with left:
    options = {key: f"{key} ({group.ranked} methods)" for key, group in family.groups.items()}
    chosen = choose_several("Data sets", options, "over", MOST, MOST)
if not chosen:
    st.info("Choose one data set or more: only methods that have all of them are in the table.")
    st.stop()
with right:
    shared = [name for name in SCORES if all(name in family.groups[key].scores for key in chosen)]
    score = choose("Score", {name: SCORES[name] for name in shared}, "score") if shared else None
try:
    found = over_datasets(board, family, chosen, score)
except ZgbenchError as error:
    stop("This table cannot be made.", error)
if not any(row.rank for row in found.rows):
    st.info("No method has a score on all of these data sets.")
table(found)
csv, markdown = st.columns(2)
csv.download_button("CSV", as_csv(found), "zgbench-over-datasets.csv", "text/csv", on_click="ignore", width="stretch")
markdown.download_button(
    "Markdown", as_markdown(found), "zgbench-over-datasets.md", "text/plain", on_click="ignore", width="stretch"
)
for note in notes(found):
    st.text(note)
