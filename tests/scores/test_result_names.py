"""Results lie side by side: none takes the place of another submission's or signature's unless told to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.io import savemat

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.command import here
from tests.submission.sample import write
from tests.test_evaluate import RIGHT, Clip, named, reused, run
from zgbench.scores.result import load_result

WRONG = ("dog", "dog", "dog", "dog")


def results(out: Path) -> dict[str, Any]:
    """Every result of a folder, read with the files beside it."""
    return {p.name: load_result(p).result for p in sorted(out.glob("*.result.json"))}


def test_protocols_lie_side_by_side_and_share_their_counts(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    first = run(path, tiny_voc, out=out)
    before = (out / "s.pas20.stats.parquet").stat().st_mtime_ns
    second = run(path, tiny_voc, out=out, protocol="iccv2023")
    third = run(path, tiny_voc, out=out, protocol="offline", background="ignore")
    assert reused(second) and reused(third)
    assert [found.path for found in (first, second, third)] == [
        out / f"s.pas20{part}.result.json" for part in ("", ".iccv2023", ".offline+background=ignore")
    ]
    found = results(out)
    assert [r["protocol"]["name"] for r in found.values()] == ["iccv2023", "offline+background=ignore", "offline"]
    assert {r["files"]["stats"]["name"] for r in found.values()} == {"s.pas20.stats.parquet"}
    assert (out / "s.pas20.stats.parquet").stat().st_mtime_ns == before
    assert len(list(out.glob("*.stats.parquet"))) == 1


def test_submissions_of_one_name_lie_side_by_side(tiny_voc: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for method, labels in (("a", RIGHT), ("b", WRONG)):
        (tmp_path / method).mkdir()
        write(named(*labels) | {"name": method}, tmp_path / method / "pred.json")
        run(tmp_path / method / "pred.json", tiny_voc, out=out)
    found = results(out)
    assert len(found) == 2
    assert {r["submission"]["name"] for r in found.values()} == {"a", "b"}
    assert all(name.startswith("pred.pas20.") for name in found)
    values = {r["submission"]["name"]: r["scores"][0]["iou_image"]["value"] for r in found.values()}
    assert values["a"] > values["b"]
    # and can be compared, each with its own counts
    assert zgbench.compare(*(out / name for name in found)).names in (("a", "b"), ("b", "a"))


def test_the_same_again_is_the_same_files(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    contents = []
    for _ in range(2):
        for change in ({}, {"protocol": "iccv2023"}, {"subset": "first:2"}, {"seed": 3, "protocol": "offline"}):
            run(path, tiny_voc, out=out, **change)
        contents.append({p.name: p.read_bytes() for p in out.iterdir() if not p.name.endswith(".json")})
    assert contents[0] == contents[1]
    assert len(results(out)) == 4


def test_a_result_with_more_rows_takes_the_place_of_one_with_fewer(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    run(path, tiny_voc, out=out, reassign=["tt"])
    run(path, tiny_voc, out=out, reassign=["tt", "st"], clip=Clip())
    assert list(results(out)) == ["s.pas20.result.json"]
    fewer = run(path, tiny_voc, out=out, reassign=["tt"])
    assert fewer.path != out / "s.pas20.result.json"
    assert [row["reassign"] for row in results(out)["s.pas20.result.json"]["scores"]] == ["TT", "ST"]


def test_replace_is_the_way_to_write_over(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    run(path, tiny_voc, out=out)
    write(named(*WRONG), path)
    found = run(path, tiny_voc, out=out, replace=True)
    assert list(results(out)) == ["s.pas20.result.json"]
    assert results(out)["s.pas20.result.json"]["submission"]["sha256"] == found.result["submission"]["sha256"]
    assert len(list(out.glob("*.stats.parquet"))) == 1


def test_the_command_says_what_it_kept(tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "out"
    command = ("evaluate", path, "--data", tiny_voc, "--protocol", "offline", "--reassign", "tt", "--out", out)
    told, err = here(*command)
    assert f"written: {out / 's.pas20.result.json'}" in told and "was kept" not in err
    told, err = here(*command, "--background", "ignore")
    assert f"written: {out / 's.pas20.offline+background=ignore.result.json'}" in told
    assert "s.pas20.result.json is of another submission or signature and was kept" in err
    told, err = here(*command, "--background", "ignore", "--replace", "--format", "json")
    assert "was kept" not in err
    assert json.loads(told)["protocol"]["background"] == "ignore"
    assert results(out)["s.pas20.result.json"]["protocol"]["background"] == "ignore"


class OnlyNames(HashedText):
    """Has the class names in its cache, and no weights for anything else."""

    name = weights = "only names"

    def encode(self, texts: Any) -> Any:
        if "aeroplane" not in texts or len(texts) < 20:
            raise zgbench.ModelUnavailable("the weights cannot be had")
        return super().encode(texts)


@pytest.mark.parametrize("earlier", [False, True])
def test_nothing_scored_is_no_success(earlier: bool, tiny_voc: Path, tmp_path: Path) -> None:
    path, out = write(named(*RIGHT[:3], "another label"), tmp_path / "s.json"), tmp_path / "out"
    if earlier:
        run(path, tiny_voc, out=out)
    before = {p.name: p.read_bytes() for p in out.iterdir()} if earlier else {}
    with pytest.raises(
        zgbench.ModelUnavailable, match=r"nothing could be scored[^\n]*\nST: [^\n]*has none.*\nTT: the weights"
    ):
        run(path, tiny_voc, out=out, protocol="iccv2023", text_encoder=OnlyNames())
    assert ({p.name: p.read_bytes() for p in out.iterdir()} if out.exists() else {}) == before


def test_a_stats_file_without_void_pixels_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    """An older zgbench left one for PC-459; its results still point to it, and the released rule counts again."""
    data = _context(tmp_path)
    path, out = _predicted(tmp_path / "s.json"), tmp_path / "out"
    options: dict[str, Any] = {"reassign": ["tt"], "partial": True, "out": out}
    run(path, data, **options)
    stats = out / "s.pc459.stats.parquet"
    table = pq.read_table(stats)
    pq.write_table(table.drop_columns(["void"]), stats)  # as before there was the column
    result = json.loads((out / "s.pc459.result.json").read_text())
    result["files"]["stats"]["sha256"] = hashlib.sha256(stats.read_bytes()).hexdigest()
    (out / "s.pc459.result.json").write_text(json.dumps(result))

    assert reused(run(path, data, **options, background="ignore", protocol="offline"))
    found = run(path, data, **options, background="released", protocol="offline")
    assert not reused(found)
    assert found.scores[0]["iou_image"]["value"] == 1 / 2
    assert len(list(out.glob("*.stats.parquet"))) == 2
    assert len(results(out)) == 2  # count and ignore are one rule there
    assert reused(run(path, data, **options, protocol="iccv2023"))


def _context(folder: Path) -> Path:
    """One image of PASCAL Context: 2 × 4 pixels, half of them table (397), a quarter not annotated, a quarter unknown."""
    place = folder / "context/pascal-context/trainval"
    place.mkdir(parents=True)
    savemat(place / f"{CONTEXT_ID}.mat", {"LabelMap": np.array([[397, 397, 0, 0], [397, 397, 431, 431]], np.uint16)})
    return folder / "context"


def _predicted(path: Path) -> Path:
    """A table on the whole image."""
    with zgbench.SubmissionWriter(path, name="m", dataset="pc459") as submission:
        submission.add(CONTEXT_ID, np.ones((1, 2, 4), dtype=bool), ["table"])
    return path


CONTEXT_ID = "2008_000002"
