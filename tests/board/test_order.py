"""Whether the order of methods survives another mapper, and how well each rule agrees with people, from what ships."""

from __future__ import annotations

from zgbench.board.order import columns, order_of
from zgbench.board.store import load_board
from zgbench.board.validity import told, validities, validity_of


def test_the_order_of_the_shipped_methods() -> None:
    board = load_board()
    group = next(g for g in board.groups("mini") if g.reassign == "TT" and g.track == "free")
    found = order_of(board, group)
    assert len(found.methods) == group.ranked >= 2
    assert found.settings[0] == "TT, no threshold" and found.tau[found.settings[0]] == 1
    assert {"ST, cos>=0.5", "LT level<=0", "LT level<=4"} <= set(found.settings)
    entry = next(e for e in board.entries if e.name == found.methods[0])
    row = next(r for r in entry.rows if r.group == group.key)
    assert abs(found.values["TT, cos>=0.5"][0] - (row.scores["iou_image"].value or 0)) < 1e-12
    assert [name for name, _ in columns(found)] == found.methods


def test_each_rule_of_the_board_has_its_validity() -> None:
    board = load_board()
    groups = [g for key in ("mini", "pas20") for g in board.groups(key)]
    for group in groups:
        found = validity_of(group)
        assert (found is None) == (group.reassign in ("ST", "TGQ")), group.title
        if found is not None:
            assert 0 <= found.low <= found.agreement <= found.high <= 1
            assert f"{100 * found.agreement:.1f} %" in told(found)
    assert told(None) == ""


def test_what_agrees_best_with_people_is_shown_by_default() -> None:
    best = max((v for v in validities() if v.words.startswith("street")), key=lambda v: v.agreement)
    assert best.rule == "LT level<=4+text"
