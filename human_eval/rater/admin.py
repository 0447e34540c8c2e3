"""The organiser's page: progress, agreement, raters, invitations, rules of exclusion, export."""

from __future__ import annotations

import streamlit as st

from rater import charts, invitations, session
from rater.stage import plain
from rater.trouble import caught, guarded
from zgbench.ratings import Rater, Status, Store, export_csv, export_parquet, quality, status

_LIVE_S = 10  # how often figures are renewed
_RESAMPLES = 200  # of the intervals shown here; `zgbench ratings status` takes more
_QUESTIONS = {"T": "Predicted labels (T)", "T*": "Reassigned labels (T*)"}


def show(person: Rater) -> None:
    """Everything, in tabs."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("The study", anchor=False)
        st.button("Sign out", key="sign-out", on_click=guarded(session.leave))
    progress, raters, invited, rules, export = st.tabs(["Progress", "Raters", "Invitations", "Exclusion", "Export"])
    with progress:
        _progress()
    with raters:
        _raters()
    with invited:
        invitations.show()
    with rules:
        _rules()
    with export:
        _export()


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
        )
        for column, (name, value) in zip(st.columns(3), figures, strict=True):
            column.metric(name, value)
        for question, one in found.by_question.items():
            st.subheader(_QUESTIONS.get(question, question), anchor=False)
            st.text(f"{one.ratings} ratings of {one.items} items; {one.cannot_tell} × cannot tell")
            left, right = st.columns(2)
            charts.show_figure(left, "Krippendorff's α (ordinal)", one.alpha)
            charts.show_figure(right, "Weighted κ, mean of pairs", one.kappa)
            charts.show_distribution(one.distribution)
        if not found.by_question:
            st.info("No ratings yet.", icon=":material/info:")
        st.caption(f"Renewed every {_LIVE_S} s; 95 % intervals from {_RESAMPLES} resamples of items.")


def _raters() -> None:
    rows = quality(session.store())
    if not rows:
        st.info("No rater has rated yet.", icon=":material/info:")
        return
    charts.show_raters(rows)
    with st.form("shut-out", border=True):
        names = {row.rater: f"{plain(row.name)} ({row.rater[:8]})" for row in rows}
        st.selectbox("Rater", list(names), format_func=names.__getitem__, key="chosen-rater")
        with st.container(horizontal=True):
            st.form_submit_button("Shut out", on_click=_shut_out, args=(True,))
            st.form_submit_button("Let in again", on_click=_shut_out, args=(False,))
        st.caption(
            "Shutting out ends a rater's access. Their ratings stay, unless a rule of exclusion leaves them out."
        )


def _rules() -> None:
    st.write(
        "Raters are left out by a stated rule only; the ratings themselves stay as they are, and so does every rule."
    )
    for rule in session.store().exclusions():
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.text(plain(rule.text) + (" (revoked)" if rule.revoked is not None else ""))
            if rule.revoked is None:
                st.button("Revoke", key=f"revoke-rule-{rule.id}", on_click=_revoke_rule, args=(rule.id,))
    with st.form("rule", clear_on_submit=True):
        st.text_input("Rule", key="rule-text", placeholder="controls<0.7", max_chars=100)
        st.number_input("Only raters with at least so many", min_value=1, value=5, key="rule-min")
        st.form_submit_button("Add", on_click=_add_rule)
    refused = st.session_state.pop("rule-refused", None)
    if refused:
        st.error("This is not a rule that can be used.", icon=":material/error:")
        st.text(plain(refused))


def _export() -> None:
    st.write("Every rating, one a row. Raters are numbers; names are not exported.")
    with st.container(horizontal=True):
        st.download_button("CSV", _csv, "ratings.csv", "text/csv", key="export-csv", on_click="ignore")
        st.download_button(
            "Parquet", _parquet, "ratings.parquet", "application/vnd.apache.parquet", key="export-parquet", on_click="ignore"
        )  # fmt: skip
    st.code("zgbench evaluate SUBMISSION --ratings ratings.parquet", language=None)


def _csv() -> bytes:
    return export_csv(session.store())


def _parquet() -> bytes:
    return export_parquet(session.store())


@guarded
def _shut_out(on: bool) -> None:
    if session.is_admin():
        session.store().shut_out(st.session_state["chosen-rater"], on)


@guarded
def _add_rule() -> None:
    from zgbench.errors import UsageError

    if session.is_admin():
        try:
            session.store().add_exclusion(st.session_state["rule-text"], min=int(st.session_state["rule-min"]))
        except UsageError as error:
            st.session_state["rule-refused"] = str(error)


@guarded
def _revoke_rule(rule_id: int) -> None:
    if session.is_admin():
        session.store().revoke_exclusion(rule_id)
