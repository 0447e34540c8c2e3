"""What axe-core finds wrong with a page, in light and dark, on a desktop and on a phone."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_AXE = Axe()
EXCLUDED = {
    # Streamlit gives the frame around its file field role="presentation" and a label; the button in it is named rightly
    ("presentation-role-conflict", '[data-testid="stFileUploaderDropzone"]'),
}
"""Rule and element that are Streamlit's own fault and that no theme or page can mend; told in leaderboard/README.md."""


def findings(page: Any) -> list[str]:
    """Every rule that the page breaks as it is shown now, with the place; all rules of axe-core but its experimental ones."""
    told = []
    found = _AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    for rule in found:
        for node in rule["nodes"]:
            target = " ".join(map(str, node["target"]))
            if not any(rule["id"] == name and _is(page, target, place) for name, place in EXCLUDED):
                told.append(f"{rule['id']} ({rule['impact']}): {target}: {node['html'][:160]}")
    return told


def _is(page: Any, target: str, selector: str) -> bool:
    return bool(page.evaluate("([t, s]) => document.querySelector(t)?.matches(s) ?? false", [target, selector]))


def in_all_lights(page: Any, settle: Any) -> dict[str, list[str]]:
    """Findings of an open page by size and colour scheme, those where there are some.

    Args:
        settle: called after each change, to wait until the page is drawn.
    """
    found = {}
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            settle()
            if broken := findings(page):
                found[f"{size}, {scheme}"] = broken
    return found
