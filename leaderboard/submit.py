"""Submit: send a file, see the check at once, and what became of it and of all others."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st
from shared import worker

from zgbench.board.queue import Entry
from zgbench.board.upload import take
from zgbench.board.worker import Worker
from zgbench.errors import ZgbenchError

TELLS = {
    "received": "Received; its check begins in a moment.",
    "checking": "Being checked.",
    "queued": "The check found nothing wrong. It waits to be evaluated.",
    "running": "Being evaluated.",
    "done": "Evaluated; it is on the board.",
    "refused": "Refused.",
    "failed": "The evaluation failed.",
}


def send(found: Worker) -> None:
    """The form. The token is never kept in the page's address."""
    most = int(st.get_option("server.maxUploadSize"))
    with st.form("upload", border=True):
        token = st.text_input("Token", type="password", max_chars=200, help="From whoever runs this board.")
        file = st.file_uploader(
            f"Submission: .json, .json.gz or .parquet, at most {most} MB", type=["json", "gz", "parquet"]
        )
        sent = st.form_submit_button("Send", type="primary")
    if not sent:
        return
    if file is None:
        st.error("Choose a file first.")
        return
    try:
        entry = found.queue.submit(token, take(file.name, file.getvalue(), most << 20))
    except ZgbenchError as error:
        st.error("Not taken:")
        st.text(str(error))
        return
    st.query_params["upload"] = entry.id[:12]
    st.rerun()


@st.fragment(run_every=1.0)
def follow(found: Worker, identity: str) -> None:
    """One upload, as it goes on; its address can be kept and shared."""
    entry = found.queue.find(identity)
    if entry is None:
        st.warning("There is no such upload (any more).")
        return
    st.subheader(f"Upload {entry.id[:12]}")
    tells = TELLS[entry.state]
    if entry.state in ("refused", "failed"):
        st.error(tells)
    elif entry.state == "done":
        st.success(tells)
    else:
        st.info(f"{tells} Place in line: {found.queue.place_in_line(entry)}. This page can be left and come back to.")
    report = entry.report.strip()
    if entry.reason and not report.startswith(entry.reason.partition(" – ")[0]):
        st.text(entry.reason)
    if report:
        with st.container(border=True):
            st.text(report)


@st.fragment(run_every=3.0)
def line(found: Worker) -> None:
    """Everybody's uploads, the latest first."""
    entries = found.queue.entries()[::-1]
    waiting = sum(not entry.ended for entry in entries)
    st.subheader(f"Queue: {waiting} waiting or in work")
    if entries:
        st.dataframe(pd.DataFrame([cells(entry) for entry in entries[:200]]), hide_index=True)


def cells(entry: Entry) -> dict[str, str]:
    """A row of the queue."""
    return {
        "Upload": entry.id[:12],
        "State": entry.state,
        "From": entry.who,
        "File": entry.shown_name,
        "Size, MB": f"{entry.size / (1 << 20):.1f}",
        "Received, UTC": time.strftime("%Y-%m-%d %H:%M", time.gmtime(entry.received)),
        "Reason": entry.reason,
    }


st.title("Submit")
found = worker()
if found is None:
    st.info("This board takes no uploads.")
    st.stop()
st.caption(
    f"How to make a file: submissions/README.md. A file is checked at once and then evaluated with at most "
    f"{found.evaluation.memory / (1 << 30):g} GiB of memory and {found.evaluation.seconds / 60:g} minutes. "
    f"A token may send {found.queue.per_day} files in 24 hours; the same content counts once. "
    "An embeddings file is not taken: segment embeddings are made here."
)
send(found)
if "upload" in st.query_params:
    follow(found, st.query_params["upload"])
line(found)
