"""Signing in to the rater through OpenID Connect, where the organiser has set it up, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.browser import chromium, free_port, served
from tests.end_to_end.openid import NAME, SUBJECT, provider

pytest.importorskip("streamlit", reason="needs the extra apps")
pytest.importorskip("authlib", reason="needs the extra apps")
from zgbench.ratings import Rater, open_store

CLIENT = "raters"
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a long random text of the organiser"
client_id = "{client}"
client_secret = "secret of the client"
server_metadata_url = "{issuer}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


def test_not_offered_unless_set_up(browser: Any, tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "ratings.db"),
        served("rate", "--ratings", tmp_path / "ratings.db", folder=tmp_path, HOME=str(tmp_path)) as server,
    ):
        page = browser.new_context().new_page()
        page.goto(server.url)
        page.get_by_role("button", name="Start").wait_for()
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        assert page.get_by_role("button", name="Sign in with your account").count() == 0


def test_signing_in_with_an_account(browser: Any, tmp_path: Path) -> None:
    """Through the provider and back as a rater, never an admin; a shut-out account stays outside."""
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    with open_store(tmp_path / "ratings.db") as store, provider(CLIENT) as issuer:
        secrets = SECRETS.format(port=port, client=CLIENT, issuer=issuer)
        (tmp_path / ".streamlit/secrets.toml").write_text(secrets, encoding="utf-8")
        with served(
            "rate", "--ratings", tmp_path / "ratings.db", folder=tmp_path, port=port, HOME=str(tmp_path)
        ) as server:
            page = browser.new_context().new_page()
            page.goto(server.url)
            page.get_by_role("button", name="Sign in with your account").click()
            page.get_by_role("button", name="Start rating").wait_for()
            rater = store.who(store.enter_with_identity(issuer, SUBJECT) or "")
            assert isinstance(rater, Rater) and rater.role == "rater" and rater.name.startswith(NAME)
            page.reload()
            page.get_by_role("button", name="Start rating").wait_for()
            store.shut_out(rater.id)
            page.reload()
            page.get_by_text("The organiser has ended your access").wait_for()
