"""What the pages have in common: the board, choices that stand in the URL, and how scores are written.

Names, labels and reports come from strangers. They are shown by ``st.text``, in cells of ``st.dataframe``, in select
boxes and in charts, none of which reads markdown or HTML; never by ``st.write``, ``st.markdown`` or in a message.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from zgbench.board.entry import SCORES, Entry
from zgbench.board.store import Board, Group, load_board
from zgbench.board.validity import told, validity_of
from zgbench.board.worker import Worker, from_environment
from zgbench.errors import ZgbenchError

STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 4rem; padding-bottom: 3rem; }
[data-testid="stMain"] h1 { padding: 0 0 .4rem 0; }
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] * { color: inherit; opacity: 1; }
button[data-selected="true"], button[data-selected="true"] p { color: inherit !important; font-weight: 600; }
:is(a, button, input, summary, [tabindex]):focus-visible { outline: 3px solid #3f6ad6 !important; outline-offset: 1px; }
main:focus-visible { outline-offset: -3px; }
[data-testid="stHeaderActionElements"]:focus-within, [data-testid="stHeaderActionElements"] a:focus-visible { opacity: 1; visibility: visible; }
.st-key-pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); }
[class*="st-key-frame-"] { position: relative; }
[class*="st-key-frame-"] [data-testid="stImage"] button { display: none; }
[class*="st-key-enlarge-"] { position: absolute; inset: 0; width: 100%; height: 100%; }
[class*="st-key-enlarge-"] div, [class*="st-key-enlarge-"] button { width: 100%; height: 100%; }
[class*="st-key-enlarge-"] button { opacity: 0; cursor: zoom-in; }
[class*="st-key-enlarge-"] button:focus-visible { opacity: 1; background: none; color: transparent; outline: 3px solid #2f5fd0; }
.st-key-enlarged { overflow: auto; max-height: 75vh; display: block; }
.st-key-enlarged img { max-width: none; }
</style>"""
"""Captions and chosen pills that can be read and a focus that can be seen, in light and dark; less empty space above the
first line than Streamlit leaves; pictures that stay wide enough to be read, and that a click, or the enter key, enlarges:
the button lies over its picture."""
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


def choose(
    label: str, options: Mapping[str, str], key: str, help: str | None = None, *,  # noqa: A002
    first: str | None = None, width: int | Literal["stretch"] = "stretch",
) -> str:  # fmt: skip
    """A select box whose choice stands in the URL as ``key=id`` and is kept from page to page.

    Args:
        options: id → what is shown; at least one.
        first: what is chosen where nobody has chosen; default: the first option.
        width: pixels, or all that the line has left.
    """
    _restore(key, [st.query_params.get(key), st.session_state.get(f"last_{key}")], options, first)
    chosen: str = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, help=help, width=width)
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


def _restore(key: str, asked: Sequence[str | None], options: Mapping[str, str], first: str | None = None) -> None:
    if st.session_state.get(key) in options:
        return
    start = first if first in options else next(iter(options))
    st.session_state[key] = next((one for one in asked if one in options), start)
    if asked[0] is not None and asked[0] not in options:
        st.warning("The link names something that is not here (any more); the nearest is shown instead.")


def _keep(key: str, value: str) -> None:
    st.session_state[f"last_{key}"] = value
    if st.query_params.get(key) != value:
        st.query_params[key] = value


def line() -> Any:
    """One quiet line for controls; it breaks where the window is narrow."""
    return st.container(horizontal=True, vertical_alignment="bottom", gap="small")


def choose_group(board: Board, *, tgq: bool = True) -> Group:
    """Data set, then protocol signature: only scores of one signature are ever shown together."""
    dataset = choose("Data set", {key: key for key in board.datasets()}, "dataset", first=board.start(), width=150)
    return choose_protocol(board, dataset, tgq=tgq)


def choose_protocol(board: Board, dataset: str, *, tgq: bool = True) -> Group:
    """One of the protocol signatures that a data set has results of."""
    groups = {group.key: group for group in board.groups(dataset) if tgq or group.has_classes}
    if not groups:
        st.info("There are no segmentation scores for this data set.")
        st.stop()
    titles = {key: f"{group.title} – {counted(group)}" for key, group in groups.items()}
    return groups[choose("Protocol", unlike(titles), "group", "Scores of unlike protocols are never mixed.")]


def tell_protocol(group: Group) -> None:
    """All that the scores of a group depend on, and how well its rule does what people do."""
    with st.popover("About this protocol"):
        if sentence := told(validity_of(group)):
            st.text(sentence)
        st.text("Signature: all that these scores depend on.")
        st.text(group.signature.replace("|", "\n"))


def tell_unofficial(group: Group) -> None:
    """A warning where scores are of no official split."""
    if not group.official:
        st.caption("Not the official split: these scores cannot be compared with those of others.")


def choose_method(board: Board, group: Group, key: str = "method", label: str = "Method") -> Entry:
    """One of the methods that have scores under a protocol: the best first, baselines and ceilings last."""
    return board.entry(choose(label, names(board, board.best_first(group)), key))


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
    found = names or (*group.scores, *group.further)
    return choose(label, {score: SCORES[score] for score in found}, key, width=180)


def named_links(title: str, width: int = 280) -> Any:
    """A column of addresses of :func:`zgbench.board.links.page_address` that shows the names behind them."""
    return st.column_config.LinkColumn(title, width=width, alignment="left", display_text=r"#(.*)$")


def text_colour() -> str:
    """Colour of text in a plot, for the theme that the visitor sees."""
    return "#e7eaf0" if st.context.theme.type == "dark" else "#1c2330"
