"""The organiser's page: progress, items, raters, invitations, rules of exclusion, settings, export."""

from __future__ import annotations

import streamlit as st

from rater import charts, exclusion, invitations, items, session, study
from rater.stage import plain
from rater.trouble import caught, guarded
from zgbench.ratings import (
    Rater,
    Status,
    Store,
    by_image,
    by_method,
    export_csv,
    export_parquet,
    payment_csv,
    payments,
    quality,
    status,
)  # fmt: skip
from zgbench.ratings.overview import lasting

_LIVE_S = 10  # how often figures are renewed
_RESAMPLES = 200  # of the intervals shown here; `zgbench ratings status` takes more
_QUESTIONS = {"T": "Predicted labels (T)", "T*": "Reassigned labels (T*)"}


def show(person: Rater) -> None:
    """Everything, in tabs."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("The study", anchor=False)
        st.button("Sign out", key="sign-out", on_click=guarded(session.leave))
    pages = {
        "Progress": _progress, "Items": items.show, "Raters": _raters, "Invitations": invitations.show,
        "Exclusion": exclusion.show, "Study": study.show, "Export": _export,
    }  # fmt: skip
    for tab, page in zip(st.tabs(list(pages)), pages.values(), strict=True):
        with tab:
            page()


@st.cache_data(ttl=_LIVE_S, max_entries=1, show_spinner=False)
def _status(_store: Store) -> Status:
    return status(_store, resamples=_RESAMPLES)


@st.fragment(run_every=_LIVE_S)
def _progress() -> None:
    with caught("progress"):
        found = _status(session.store())
        st.progress(
            min(found.answers_given / found.answers_wanted, 1.0) if found.answers_wanted else 0.0,
            f"{found.answers_given} of {found.answers_wanted} answers; {found.items_done} of {found.items} items done",
        )
        figures = (
            ("Answers in the last hour", f"{found.per_hour}"),
            ("Raters, active of all", f"{found.raters_active} of {found.raters}"),
            ("Median seconds an answer", "–" if found.seconds_median is None else f"{found.seconds_median:.1f}"),
            ("To go at this pace", "–" if found.seconds_to_go is None else lasting(found.seconds_to_go)),
        )
        for column, (name, value) in zip(st.columns(4), figures, strict=True):
            column.metric(name, value)
        for question, one in found.by_question.items():
            st.header(_QUESTIONS.get(question, question), anchor=False)
            st.text(f"{one.ratings} ratings of {one.items} items; {one.cannot_tell} × cannot tell")
            left, right = st.columns(2)
            charts.show_figure(left, "Krippendorff's α (ordinal)", one.alpha)
            charts.show_figure(right, "Weighted κ, mean of pairs", one.kappa)
            charts.show_distribution(one.distribution)
        if not found.by_question:
            st.info("No ratings yet.", icon=":material/info:")
        for title, parts in (("By method", by_method(session.store())), ("By image", by_image(session.store()))):
            if parts:
                st.header(title, anchor=False)
                charts.show_parts(title.lower().replace(" ", "-"), parts)
        st.caption(f"Renewed every {_LIVE_S} s; 95 % intervals from {_RESAMPLES} resamples of items.")


def _raters() -> None:
    rows = quality(session.store())
    if not rows:
        st.info("No rater has rated yet.", icon=":material/info:")
        return
    charts.show_raters(rows)
    st.header("For payment", anchor=False)
    charts.show_payments(payments(session.store()))
    st.download_button("Payment table", _payment, "payment.csv", "text/csv", key="export-payment", on_click="ignore")
    with st.form("shut-out", border=True):
        names = {row.rater: f"{plain(row.name)} ({row.rater[:8]})" for row in rows}
        st.selectbox("Rater", list(names), format_func=names.__getitem__, key="chosen-rater")
        with st.container(horizontal=True):
            st.form_submit_button("Shut out", on_click=_shut_out, args=(True,))
            st.form_submit_button("Let in again", on_click=_shut_out, args=(False,))
        st.caption(
            "Shutting out ends a rater's access. Their ratings stay, unless a rule of exclusion leaves them out."
        )


def _export() -> None:
    st.write("Every rating, one a row. Raters are numbers; names are not exported.")
    with st.container(horizontal=True):
        st.download_button("CSV", _csv, "ratings.csv", "text/csv", key="export-csv", on_click="ignore")
        st.download_button(
            "Parquet", _parquet, "ratings.parquet", "application/vnd.apache.parquet", key="export-parquet", on_click="ignore"
        )  # fmt: skip
    st.code("zgbench evaluate SUBMISSION --ratings ratings.parquet", language=None, wrap_lines=True)


def _payment() -> bytes:
    return payment_csv(session.store())


def _csv() -> bytes:
    return export_csv(session.store())


def _parquet() -> bytes:
    return export_parquet(session.store())


@guarded
def _shut_out(on: bool) -> None:
    if session.is_admin():
        session.store().shut_out(st.session_state["chosen-rater"], on)
