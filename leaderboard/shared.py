"""What the pages have in common: the board, choices that stand in the URL, and how scores are written.

Names, labels and reports come from strangers. They are shown by ``st.text``, in cells of ``st.dataframe``, in select
boxes and in charts, none of which reads markdown or HTML; never by ``st.write``, ``st.markdown`` or in a message.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from zgbench.board.entry import SCORES, Entry
from zgbench.board.store import Board, Group, load_board
from zgbench.board.validity import told, validity_of
from zgbench.board.worker import Worker, from_environment
from zgbench.errors import ZgbenchError

GOOD, BAD, PLAIN = "#2e9e6b", "#d1495b", "#8a93a3"
KINDS = {
    "free": "#3b78e7", "text-guided": "#e08a1e", "trained on segmentation labels": "#b04fc4",
    "baseline": "#8a93a3", "ceiling": "#2a9d8f",
}  # fmt: skip


def board_folder() -> Path | None:
    """Folder of results, None for those that ship with zgbench."""
    chosen = os.environ.get("ZGBENCH_BOARD")
    return Path(chosen) if chosen else None


def data_folder() -> Path | None:
    """Folder of the data sets, None where none was given."""
    chosen = os.environ.get("ZGBENCH_DATA")
    return Path(chosen) if chosen else None


def open_board() -> Board:
    """The board as it is now; tells of files that were left out, and ends the page where there is none."""
    try:
        board = load_board(board_folder())
    except ZgbenchError as error:
        stop("The board cannot be read.", error)
    if board.problems:
        with st.expander(f"{len(board.problems)} result files were left out", icon=":material/warning:"):
            st.text("\n".join(board.problems))
    if not board.entries:
        st.info("There are no results yet. Add one with: zgbench leaderboard add SUBMISSION")
        st.stop()
    return board


def worker() -> Worker | None:
    """The worker of the queue; None where this board takes no uploads: no folder for them, or nobody has a token."""
    try:
        found = _started() if board_folder() is not None else None
    except ZgbenchError as error:
        stop("The queue of uploads cannot be opened.", error)
    return found if found is not None and found.queue.enabled() else None


@st.cache_resource(show_spinner=False)
def _started() -> Worker | None:
    """Started once for all visitors."""
    found = from_environment(os.environ, board_folder() or Path(), data_folder())
    if found is not None:
        found.start()
    return found


def stop(title: str, error: Exception) -> Any:
    """Say what is wrong and end the page."""
    st.error(title)
    st.text(str(error))
    st.stop()


def choose(label: str, options: Mapping[str, str], key: str, help: str | None = None) -> str:  # noqa: A002
    """A select box whose choice stands in the URL as ``key=id`` and is kept from page to page.

    Args:
        options: id → what is shown; at least one.
    """
    _restore(key, [st.query_params.get(key), st.session_state.get(f"last_{key}")], options)
    chosen: str = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, help=help)
    _keep(key, chosen)
    return chosen


def choose_several(label: str, options: Mapping[str, str], key: str, first: int, most: int) -> list[str]:
    """As :func:`choose`, for several ids (``key=a,b``); the first ``first`` where nothing was chosen."""
    asked = (st.query_params.get(key) or st.session_state.get(f"last_{key}") or "").split(",")
    if key not in st.session_state or not set(st.session_state[key]) <= set(options):
        known = [one for one in asked if one in options][:most]
        st.session_state[key] = known or list(options)[:first]
    chosen = st.multiselect(label, list(options), format_func=options.__getitem__, key=key, max_selections=most)
    _keep(key, ",".join(chosen))
    return chosen


def _restore(key: str, asked: Sequence[str | None], options: Mapping[str, str]) -> None:
    if st.session_state.get(key) in options:
        return
    st.session_state[key] = next((one for one in asked if one in options), next(iter(options)))
    if asked[0] is not None and asked[0] not in options:
        st.warning("The link names something that is not here (any more); the nearest is shown instead.")


def _keep(key: str, value: str) -> None:
    st.session_state[f"last_{key}"] = value
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def choose_group(board: Board, *, tgq: bool = True) -> Group:
    """Data set, then protocol signature: only scores of one signature are ever shown together."""
    left, right = st.columns([1, 3])
    with left:
        dataset = choose("Data set", {key: key for key in board.datasets()}, "dataset")
    with right:
        return choose_protocol(board, dataset, tgq=tgq)


def choose_protocol(board: Board, dataset: str, *, tgq: bool = True) -> Group:
    """One of the protocol signatures that a data set has results of."""
    groups = {group.key: group for group in board.groups(dataset) if tgq or group.reassign != "TGQ"}
    if not groups:
        st.info("There are no segmentation scores for this data set.")
        st.stop()
    titles = {key: f"{group.title} – {counted(group)}" for key, group in groups.items()}
    group = groups[choose("Protocol", unlike(titles), "group", "Scores of unlike protocols are never mixed.")]
    if sentence := told(validity_of(group)):
        st.caption(sentence)
    return group


def tell_signature(group: Group) -> None:
    """All that the scores of a group depend on."""
    with st.expander("Signature: all that these scores depend on"):
        st.text(group.signature.replace("|", "\n"))
    if not group.official:
        st.caption("Not the official split: these scores cannot be compared with those of others.")


def choose_method(board: Board, group: Group, key: str = "method", label: str = "Method") -> Entry:
    """One of the methods that have scores under a protocol."""
    return board.entry(choose(label, names(board, group.ids), key))


def names(board: Board, ids: Sequence[str]) -> dict[str, str]:
    """Id → name of a method; the id is added where names are equal."""
    return unlike({one: board.entry(one).name for one in ids})


def unlike(texts: Mapping[str, str]) -> dict[str, str]:
    """The same texts, with the id behind those that occur more than once."""
    several = list(texts.values())
    return {key: f"{text} ({key})" if several.count(text) > 1 else text for key, text in texts.items()}


def methods(number: int) -> str:
    """A number of methods in words."""
    return f"{number} method{'s' if number != 1 else ''}"


def counted(group: Group) -> str:
    """How many rows a protocol has, in words."""
    apart = len(group.ids) - group.ranked
    return methods(group.ranked) + (f", {apart} not ranked" if apart else "")


def kind_of(row: Mapping[str, Any]) -> str:
    """What a method was given: one of KINDS; what a submission does not say counts as no, as in the filters."""
    if row.get("kind", "method") != "method":
        return str(row["kind"])
    if row["segmentation_labels"]:
        return "trained on segmentation labels"
    return "text-guided" if row["text_guidance"] else "free"


def said(value: bool | None) -> str:
    """An answer of a submission."""
    return "not said" if value is None else "yes" if value else "no"


def percent(value: float | None, low: float | None = None, high: float | None = None, sign: str = "") -> str:
    """A fraction as ``30.0 [28.6, 31.5]``, of fixed width so that cells sort as numbers do; "–" where undefined."""
    if value is None:
        return "–"
    width = 6 if sign else 5
    text = f"{100 * value:{sign}{width}.1f}"
    return text if low is None or high is None else f"{text} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"


def pick_score(group: Group, key: str = "score", label: str = "Score", names: Sequence[str] = ()) -> str:
    """One of the scores that a protocol has, or of these."""
    return choose(label, {score: SCORES[score] for score in names or (*group.scores, *group.further)}, key)


def text_colour() -> str:
    """Colour of text in a plot, for the theme that the visitor sees."""
    return "#e7eaf0" if st.context.theme.type == "dark" else "#1c2330"
