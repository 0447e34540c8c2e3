"""Every link of every page leads somewhere: files, folders, headings."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links

ELSEWHERE = ("http://", "https://", "mailto:")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        if link.startswith(ELSEWHERE):
            continue
        file, _, anchor = unquote(link).partition("#")
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(str(target.relative_to(ROOT))), link


def test_links_of_notebooks_lead_somewhere() -> None:
    from markdown_it import MarkdownIt

    notebooks = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
    assert len(notebooks) == 3
    for notebook in notebooks:
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "markdown":
                continue
            for token in MarkdownIt().parse("".join(cell["source"])):
                for child in token.children or []:
                    link = str(child.attrs.get("href", ""))
                    if link and not link.startswith(ELSEWHERE):
                        assert (notebook.parent / link.partition("#")[0]).exists(), f"{notebook.name}: {link}"
