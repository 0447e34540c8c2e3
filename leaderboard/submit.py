"""Submit: what this board scores, then with a token one's own uploads: send, follow, rename, keep private, withdraw."""

from __future__ import annotations

import time
from collections.abc import Callable

import pandas as pd
import streamlit as st
from shared import board_folder, choose, data_folder, worker

from zgbench.board.offer import NO_FILES, offers
from zgbench.board.queued import Entry
from zgbench.board.store import load_board
from zgbench.board.upload import take
from zgbench.board.worker import Worker
from zgbench.errors import ZgbenchError

TELLS = {
    "received": "Received; its check begins in a moment.",
    "checking": "Being checked.",
    "queued": "The check found nothing wrong. It waits to be evaluated.",
    "running": "Being evaluated.",
    "done": "Evaluated; it is on the board.",
    "refused": "Refused: mend the file and send it again.",
    "failed": "Something went wrong on the server. The file need not be changed.",
    "withdrawn": "Withdrawn. Its file and its result are deleted.",
}
PRIVATE = "Evaluated; only you see its result."
MOST_SHOWN = 200
_OFFERS_S = 600.0


@st.cache_data(ttl=_OFFERS_S, show_spinner=False)
def offered(protocol: str | None) -> list[dict[str, object]]:
    """What the server can score, as rows of a table; worked out anew every ten minutes."""
    return [offer.__dict__ for offer in offers(data_folder(), protocol)]


def tell_offers(found: Worker) -> None:
    """Data sets, protocols, models and limits, before anybody uploads."""
    every = offered(found.protocol)
    rows = [
        {
            "Data set": one["dataset"],
            "Images": one["images"],
            "Protocol": one["protocol"],
            "Scored": ", ".join(one["rows"]) or "nothing",
            "Not scored": "; ".join([*filter(None, [one["why"]]), *(f"{k}: {v}" for k, v in one["lacking"].items())])
            or "–",
        }
        for one in every
        if one["why"] != NO_FILES
    ]
    st.header("What this board scores")
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    absent = ", ".join(str(one["dataset"]) for one in every if one["why"] == NO_FILES)
    if absent:
        st.text(f"Not at hand: {absent}.")
    st.text(
        f"Files: .json, .json.gz or .parquet, at most {most()} MB, without an embeddings file: segment embeddings are "
        f"made here. At most {found.evaluation.memory / (1 << 30):g} GiB of memory and {found.evaluation.seconds / 60:g} "
        f"minutes for an evaluation, {found.queue.per_day} files in 24 hours. How to make one: submissions/README.md."
    )


def most() -> int:
    """Size of the largest upload, MB."""
    return int(st.get_option("server.maxUploadSize"))


def sign_in(found: Worker) -> str:
    """The visitor's token, empty while there is none. It is never kept in the page's address."""
    token: str = st.session_state.get("submit_token", "")
    if found.queue.owner_of(token) is not None:
        return token
    with st.form("entering", border=True):
        given = st.text_input("Token", type="password", max_chars=200, help="From whoever runs this board.")
        sent = st.form_submit_button("Continue", type="primary")
    if sent and found.queue.owner_of(given) is None:
        st.error("This token is not known to the board. Ask whoever runs it for one.")
    elif sent:
        st.session_state["submit_token"] = given
        st.rerun()
    return ""


def send(found: Worker, token: str) -> None:
    """The form of a new upload."""
    with st.form("sending", border=True, clear_on_submit=True):
        file = st.file_uploader(f"Submission, at most {most()} MB", type=["json", "gz", "parquet"])
        private = st.checkbox("Keep the result private", help="Only you see it here. You can publish it later.")
        sent = st.form_submit_button("Send", type="primary")
    if not sent:
        return
    if file is None:
        st.error("Choose a file first.")
        return
    try:
        entry = found.queue.submit(token, take(file.name, file.getvalue(), most() << 20), private=private)
    except ZgbenchError as error:
        tell("Not taken:", error)
        return
    st.session_state["upload"] = entry.stem
    st.rerun()


def tell(title: str, error: Exception) -> None:
    """What was not done, and why."""
    st.error(title)
    st.text(str(error))


def follow(found: Worker, token: str, stem: str, *, waited: bool) -> None:
    """One upload, as it goes on, and the table of all."""
    entries = found.queue.mine(token)
    entry = next((one for one in entries if one.stem == stem), None)
    if entry is None or (waited and entry.ended):
        st.rerun()
    tells = PRIVATE if entry.state == "done" and entry.private else TELLS[entry.state]
    if entry.state in ("refused", "failed"):
        st.error(tells)
    elif entry.state == "done":
        st.success(tells)
    elif entry.ended:
        st.info(tells)
    else:
        st.info(f"{tells} Place in line: {found.queue.place_in_line(entry)}. This page can be left and come back to.")
    report = entry.report.strip()
    if entry.reason and not report.startswith(entry.reason.partition(" – ")[0]):
        st.text(entry.reason)
    if report:
        with st.container(border=True):
            st.text(report)
    if entry.state == "done":
        links(found, entry)
    act(found, token, entry)
    st.dataframe(pd.DataFrame([cells(one) for one in entries[:MOST_SHOWN]]), hide_index=True)


def links(found: Worker, entry: Entry) -> None:
    """Where its result can be seen, or had."""
    if entry.private:
        for file, content in found.private_results(entry):
            st.download_button(file, content, file, "application/json", key=f"get-{file}", on_click="ignore")
        return
    for one in load_board(board_folder()).entries:
        if one.submission_sha256 == entry.id:
            place = {"dataset": one.dataset, "group": one.rows[0].group}
            with st.container(horizontal=True):
                st.page_link("method.py", label="Its page on the board", query_params=place | {"method": one.id})
                st.page_link("ranking.py", label="Ranking", query_params=place)


def act(found: Worker, token: str, entry: Entry) -> None:
    """What its owner may do with it."""
    if entry.state in ("withdrawn", "refused"):
        return
    with (
        st.expander("Rename, keep private or publish, withdraw"),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Name on the board", value=entry.name, placeholder="as in the file", max_chars=200, key=f"name-{entry.stem}")  # fmt: skip
        if st.button("Rename", key=f"rename-{entry.stem}", disabled=not name or name == entry.name):
            do(found.describe, token, entry, name=name)
        offered = "Publish" if entry.private else "Keep private"
        if st.button(offered, key=f"private-{entry.stem}"):
            do(found.describe, token, entry, private=not entry.private)
        if st.button("Withdraw", key=f"withdraw-{entry.stem}", help="Deletes the file and its result."):
            do(found.withdraw, token, entry)
    if entry.state == "failed" and st.button("Try again", key=f"again-{entry.stem}", type="primary"):
        do(found.queue.try_again, token, entry)


def do(what: Callable[..., object], *given: object, **values: object) -> None:
    """Carry out what was clicked, and show what became of it."""
    try:
        what(*given, **values)
    except ZgbenchError as error:
        tell("Not done:", error)
    else:
        st.rerun()


def own(found: Worker, token: str) -> None:
    """The visitor's uploads, the latest first, and one of them in full; its address can be kept."""
    entries = found.queue.mine(token)
    st.header("Your uploads")
    if not entries:
        st.text("None yet.")
        return
    by_stem = {entry.stem: entry for entry in entries[:MOST_SHOWN]}
    stem = choose("Upload", {one.stem: f"{one.stem}, {one.shown_name}" for one in by_stem.values()}, "upload")
    waits = not by_stem[stem].ended
    st.fragment(run_every=1.0 if waits else None)(follow)(found, token, stem, waited=waits)


def cells(entry: Entry) -> dict[str, str]:
    """A row of the visitor's uploads."""
    return {
        "Upload": entry.stem,
        "State": f"{entry.state}, private" if entry.private else entry.state,
        "File": entry.shown_name,
        "Name": entry.name or "as in the file",
        "Size, MB": f"{entry.size / (1 << 20):.1f}",
        "Received, UTC": time.strftime("%Y-%m-%d %H:%M", time.gmtime(entry.received)),
        "Reason": entry.reason,
    }


st.title("Submit")
found = worker()
if found is None:
    st.info("This board takes no uploads.")
    st.stop()
tell_offers(found)
token = sign_in(found)
if token:
    send(found, token)
    own(found, token)
    if st.button("Forget my token"):
        for key in ("submit_token", "upload", "last_upload"):
            st.session_state.pop(key, None)
        st.query_params.pop("upload", None)
        st.rerun()
