"""Every page has a place in the site's navigation, and the first pages stay short."""

from __future__ import annotations

import os.path
import re

import pytest

from tests.docs.pages import PAGES, text_of

FIRST = {"README.md": 120, "SECURITY.md": 150}
"""Pages that a stranger reads first, and their most lines."""
NOT_ON_THE_SITE = ("README.md", ".github/")
"""The site has its own first page; forms are for the place where issues are written."""


def test_every_page_is_in_the_navigation_once() -> None:
    entries = [
        line
        for toctree in re.findall(r"^```{toctree}\n(.*?)^```$", text_of("docs/index.md"), re.MULTILINE | re.DOTALL)
        for line in toctree.splitlines()
        if line and not line.startswith(":")
    ]
    targets = [re.sub(r".*<(.*)>", r"\1", entry) for entry in entries]
    listed = sorted(os.path.normpath(f"docs/{target}") for target in targets)
    wanted = [page for page in PAGES if page != "docs/index.md" and not page.startswith(NOT_ON_THE_SITE)]
    notebooks = [entry for entry in listed if "notebooks/" in entry]
    assert [entry for entry in listed if entry not in notebooks] == sorted(page.removesuffix(".md") for page in wanted)
    assert len(notebooks) == 3


@pytest.mark.parametrize("page", FIRST)
def test_first_pages_are_short(page: str) -> None:
    assert len(text_of(page).splitlines()) <= FIRST[page]
