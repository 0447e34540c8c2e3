"""What axe-core finds wrong with a page, in light and dark, on a desktop and on a phone."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
_AXE = Axe()


def findings(page: Any) -> list[str]:
    """Every rule that the page breaks as it is shown now, with the place; all rules of axe-core but its experimental ones."""
    found = _AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"]
    ]


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
