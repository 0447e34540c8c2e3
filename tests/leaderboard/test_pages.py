"""What the leaderboard's pages share, and what none of them may do."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

PAGES = sorted((Path(__file__).resolve().parents[2] / "leaderboard").glob("*.py"))
# these read markdown or HTML; what they are given must be texts of ours
READS_MARKDOWN = {
    "write", "markdown", "html", "title", "header", "subheader", "caption", "info", "warning", "error", "success",
    "metric", "toast", "badge", "expander", "popover", "latex", "iframe", "button", "download_button", "page_link", "dialog",
    "link_button",
}  # fmt: skip
STRANGERS = {"name", "label", "description", "url", "report", "reason", "shown_name", "who", "error", "why", "frequent"}


@pytest.fixture(scope="module")
def shared() -> Any:
    spec = importlib.util.spec_from_file_location("leaderboard_shared", PAGES[0].parent / "shared.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_scores_sort_as_text_as_they_do_as_numbers(shared: Any) -> None:
    values = [0.0, 0.084, 0.3, 0.995, 1.0]
    cells = [shared.percent(value, value, value) for value in values]
    assert cells == sorted(cells)
    assert cells[1] == "  8.4 [8.4, 8.4]"
    assert shared.percent(None, None, None) == "–"
    assert shared.percent(-0.012, -0.02, 0.001, "+") == "  -1.2 [-2.0, +0.1]"


def test_equal_names_are_told_apart(shared: Any) -> None:
    assert shared.unlike({"a": "x", "b": "x", "c": "y"}) == {"a": "x (a)", "b": "x (b)", "c": "y"}


@pytest.mark.parametrize(
    ("guided", "trained", "kind"),
    [
        (None, None, "free"),
        (False, False, "free"),
        (True, False, "text-guided"),
        (True, True, "trained on segmentation labels"),
    ],
)
def test_kinds(shared: Any, guided: bool | None, trained: bool | None, kind: str) -> None:
    assert shared.kind_of({"text_guidance": guided, "segmentation_labels": trained}) == kind
    assert kind in shared.KINDS


def test_baselines_and_ceilings_are_kinds_too(shared: Any) -> None:
    for kind in ("baseline", "ceiling"):
        assert shared.kind_of({"kind": kind, "text_guidance": True, "segmentation_labels": True}) == kind
        assert kind in shared.KINDS


def called(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_strangers_texts_never_reach_what_reads_markdown(page: Path) -> None:
    for call in called(ast.parse(page.read_text(encoding="utf-8"))):
        assert isinstance(call.func, ast.Attribute)
        assert not any(keyword.arg == "unsafe_allow_html" for keyword in call.keywords)
        if call.func.attr not in READS_MARKDOWN or not call.args:
            continue
        if ast.unparse(call) == "st.html(STYLE)":
            continue
        assert call.func.attr not in ("write", "markdown", "html", "iframe"), ast.unparse(call)
        for shown in (call.args[0], *(k.value for k in call.keywords if k.arg in ("label", "help", "caption"))):
            used = {node.attr for node in ast.walk(shown) if isinstance(node, ast.Attribute)}
            used |= {node.id for node in ast.walk(shown) if isinstance(node, ast.Name)}
            assert not used & STRANGERS, ast.unparse(call)


def test_the_style_is_a_constant_that_holds_no_more_than_rules(shared: Any) -> None:
    tree = ast.parse((PAGES[0].parent / "shared.py").read_text(encoding="utf-8"))
    (style,) = [n for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "STYLE"]
    assert isinstance(style.value, ast.Constant)
    assert re.fullmatch(r"<style>[^<]*</style>", shared.STYLE)
    assert "url(" not in shared.STYLE and "@import" not in shared.STYLE


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_import_no_part_of_zgbench_but_the_board_and_its_errors(page: Path) -> None:
    for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("zgbench"):
            assert node.module.startswith("zgbench.board") or node.module == "zgbench.errors", node.module
