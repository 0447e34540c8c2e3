"""The page in which people rate labels of segments; started by ``zgbench rate``.

It holds no logic: what is asked, kept and computed is ``zgbench.ratings``. Who signs in decides what is shown: the
consent, the practice, the items, or the admin's page.
"""

from __future__ import annotations

from functools import partial

import streamlit as st
from rater import look, rating, session, sign_in, training
from rater.texts import language, t
from rater.trouble import caught

PAGES = ("sign-in", "admin", "consent", "training", "rating")

st.set_page_config(page_title=t("title"), layout="centered")
look.apply()
with caught():
    session.arrive()
    person = session.current()
    session.remember(language())
    if person is None:
        name, show = "sign-in", sign_in.show
    elif person.role == "admin":
        from rater import admin  # its statistics take a second to load, which no rater should wait for

        name, show = "admin", partial(admin.show, person)
    elif session.store().settings.consent and not person.consented:
        name, show = "consent", partial(sign_in.consent, person)
    elif not person.trained:
        name, show = "training", partial(training.show, person)
    else:
        name, show = "rating", partial(rating.show, person)
    # each page has a place of its own: what the last one showed (a token, say) goes before the next one is drawn
    places = {page: st.container() if page == name else st.empty() for page in PAGES}
    with places[name]:
        show()
