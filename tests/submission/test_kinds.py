"""Every kind of input becomes what its page says: segments with the right labels, or a message that names cause and mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import zgbench
from tests.submission.kinds import BAD, SOUND, page, run

PAGE = Path(__file__).resolve().parents[2] / "docs/convert-kinds.md"
pytest.importorskip("faster_coco_eval", reason="draws COCO's polygons")


@pytest.mark.parametrize("kind", SOUND)
def test_converted(kind: str, tmp_path: Path) -> None:
    make, labels = SOUND[kind]
    assert run(make, tmp_path) == labels


@pytest.mark.parametrize("kind", BAD)
def test_refused(kind: str, tmp_path: Path) -> None:
    make, says = BAD[kind]
    with pytest.raises(zgbench.ZgbenchError, match=says) as raised:
        run(make, tmp_path)
    assert raised.value.exit_status == 2
    assert not list(tmp_path.glob("out/*mine*"))
    assert all(line.isprintable() for line in str(raised.value).splitlines())


def test_the_page_says_what_happens() -> None:
    assert len(BAD) >= 60
    assert page() == PAGE.read_text(encoding="utf-8"), "python -m tests.submission.kinds > docs/convert-kinds.md"


def test_messages_are_short() -> None:
    """None needs more than a few lines on a terminal."""
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    assert max(map(len, rows)) < 700
    assert not [row for row in rows if re.search(r"converted \|$", row)]
