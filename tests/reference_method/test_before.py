"""``reference bench --before``: another checkout does the same work in a process of its own. Here it is this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_method.before import Before
from reference_method.models import MINI
from tests.end_to_end.command import here
from zgbench.errors import UsageError, ZgbenchError

ROOT = Path(__file__).parents[2]
MINIS = {"pretrained_model_name_or_path": str(MINI / "gpt2")}


def test_another_checkout_names_and_takes_a_photo_through_all_stages() -> None:
    with Before(ROOT, "mini", 2, 1, MINIS) as other:
        seconds, names = other.names(1, 2)
        assert seconds > 0 and len(names) == 2 and all(names)
        assert other.names(1, 2)[1] == names
        stages = other.stages()
    assert "One image, 2 segments, at most 1 tokens, fp32:" in stages
    assert all(
        f"| {stage} |" in stages for stage in ("candidates: clustering", "embeddings", "naming", "merging", "total")
    )


def test_what_is_no_checkout_and_what_fails_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--before .*expected a checkout of zgbench"):
        Before(tmp_path, "mini", 2, 1, MINIS)
    (tmp_path / "reference_method").mkdir()
    (tmp_path / "reference_method/__init__.py").touch()
    (tmp_path / "reference_method/bench.py").write_text("raise SystemExit('too old')")
    with Before(tmp_path, "mini", 2, 1, MINIS) as broken, pytest.raises(ZgbenchError, match="ended with an error"):
        broken.names(1, 1)


def test_it_compares_on_the_cpu_in_fp32() -> None:
    asked = ("reference", "bench", "--size", "mini", "--before", ROOT, "--device", "cpu")
    _, said = here(*asked, "--segments", "0", status=2)
    assert "--segments and --runs: expected at least 1" in said
    _, said = here(*asked, "--precision", "bf16", status=2)
    assert "--before compares in fp32 on the CPU" in said
