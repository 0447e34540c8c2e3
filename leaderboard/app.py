"""The leaderboard: ``zgbench leaderboard serve``. Pages only show; every number comes from ``zgbench.board``."""

from __future__ import annotations

import streamlit as st
from shared import STYLE, worker

st.set_page_config(page_title="zgbench leaderboard", layout="wide")
st.html(STYLE)
pages = [
    st.Page("ranking.py", title="Ranking", default=True),
    st.Page("over_datasets.py", title="Over data sets"),
    st.Page("compare.py", title="Compare"),
    st.Page("method.py", title="Method"),
    st.Page("inside.py", title="Look inside"),
    st.Page("diagnosis.py", title="Diagnosis"),
]
if worker() is not None:
    pages.append(st.Page("submit.py", title="Submit"))
st.navigation(pages, position="top").run()
