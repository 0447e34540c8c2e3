"""zgbench as people run it: a process of its own, its exit status, what it prints where."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import zgbench
from tests.conftest import VOC_IDS
from tests.end_to_end.command import call, here
from tests.submission.sample import sound, write

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "submissions/demo.json"


@pytest.fixture(scope="module")
def demo_result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, scored once, in the folder that is given."""
    out = tmp_path_factory.mktemp("demo")
    call("evaluate", DEMO, "--out", out, "--format", "csv", ZGBENCH_CACHE=str(out / "cache"))
    return out


# ---- the surface


@pytest.mark.parametrize(
    "command",
    [[], ["evaluate"], ["validate"], ["compare"], ["convert"], ["datasets"], ["datasets", "list"], ["datasets", "check"], ["datasets", "prepare"], ["models"], ["models", "list"], ["models", "fetch"], ["models", "check"]],
    ids=" ".join,
)  # fmt: skip
def test_help(command: list[str]) -> None:
    out, err = here(*command, "--help")
    assert out.startswith(f"usage: {' '.join(['zgbench', *command])}")
    assert not err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from zgbench.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & {"numpy", "pandas", "pyarrow", "torch", "datasets", "PIL", "rich", "scipy", "ijson"}


@pytest.mark.parametrize("arguments", [[], ["score"], ["evaluate"], ["evaluate", "a", "--protocol", "v2"], ["compare", "a"]], ids=" ".join)  # fmt: skip
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    out, err = here(*arguments, status=2)
    assert not out
    assert err.startswith("usage: zgbench")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "nowhere.json"], "nowhere.json: there is no such file"),
        (["evaluate", DEMO, "--workers", "0"], "--workers 0: expected at least 1"),
        (["evaluate", DEMO, "--reassign", "tt,xy"], "expected some of tt, lt, st"),
        (["evaluate", DEMO, "--subset", "last:3"], "--subset last:3"),
        (["evaluate", DEMO, "--seed", "-1"], "--seed -1"),
        (["evaluate", DEMO, "--resamples", "0"], "--resamples 0"),
        (["evaluate", DEMO, "--tau-text", "2"], "--tau-text 2.0"),
        (["evaluate", DEMO, "--tau-clip", "nan"], "--tau-clip nan"),
        (["evaluate", DEMO, "--ratings", "r.txt"], "expected a .csv or .parquet file"),
        (["validate", "nowhere.parquet"], "nowhere.parquet: there is no such file"),
        (["compare", DEMO, DEMO], "expected a result file"),
        (["convert", "nowhere", "b.json"], "nowhere"),
        (["convert", DEMO, "b.txt"], "b.txt"),
        (["datasets", "check", "pas20"], "--data DIR or set ZGBENCH_DATA"),
        (["datasets", "prepare", "pas20"], "where to?"),
    ],
)
def test_errors_say_what_and_where(arguments: list[object], message: str, tmp_path: Path) -> None:
    out, err = here(*arguments, status=2, cwd=tmp_path)
    assert not out
    assert message in err
    assert err.startswith("zgbench: ")
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_had_is_status_1_and_says_what_works(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(sound(), tmp_path / "s.json")
    out, err = call(
        "evaluate", path, "--data", tiny_voc, "--out", tmp_path / "out", status=1, HF_HOME=str(tmp_path / "hf")
    )
    assert not out
    assert "all-mpnet-base-v2" in err
    assert "--protocol offline" in err
    assert not (tmp_path / "out").exists()
    # and what it names does work
    here("evaluate", path, "--data", tiny_voc, "--out", tmp_path / "out", "--protocol", "offline")


def test_a_bug_of_ours_is_one_line_and_status_1(tmp_path: Path) -> None:
    code = "import sys, zgbench.evaluation as e; e.evaluate = lambda *a, **k: 1 / 0; from zgbench.cli import main; sys.exit(main(['evaluate', 'x']))"
    env = {k: v for k, v in os.environ.items() if k != "ZGBENCH_DEBUG"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 1
    assert "internal error: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr


# ---- evaluate


def test_the_demo(demo_result: Path, tmp_path: Path) -> None:
    out, err = here("evaluate", DEMO, "--out", demo_result, ZGBENCH_CACHE=str(demo_result / "cache"))
    assert not err  # no terminal: no progress bar
    lines = out.splitlines()
    assert max(map(len, lines[: lines.index(next(line for line in lines if "data:mini" in line))])) <= 120
    row = json.loads((demo_result / "demo.mini.result.json").read_text())["scores"][0]
    assert f"{100 * row['iou_image']['value']:.1f}" in out
    assert row["signature"] in out
    assert "not scored" not in out  # the CLIP of mini comes along
    assert f"written: {demo_result / 'demo.mini.result.json'}" in out
    assert "protocol mini" in out or "data:mini" in row["signature"]


def test_formats(demo_result: Path) -> None:
    result = json.loads((demo_result / "demo.mini.result.json").read_text())
    row = result["scores"][0]
    shown = f"{100 * row['iou_image']['value']:.1f}"
    made = {}
    for style in ("markdown", "latex", "csv", "json"):
        made[style], err = here("evaluate", DEMO, "--out", demo_result, "--format", style, ZGBENCH_CACHE=str(demo_result / "cache"))  # fmt: skip
        assert all(line.startswith("note: ") and "distinct labels say nothing" in line for line in err.splitlines()), (
            err
        )
    head, rule, line, *_ = made["markdown"].splitlines()
    assert head.count("|") == rule.count("|") == line.count("|") == 10
    assert f"| {shown} [" in line
    assert row["signature"] in made["markdown"]
    assert r"\begin{tabular}" in made["latex"]
    assert f"& {shown} &" in made["latex"]
    low, high = (f"{100 * end:.1f}" for end in row["iou_image"]["ci95"])
    assert rf"& {{\scriptsize [{low}, {high}]}} &" in made["latex"]
    assert f"\n{result['submission']['name']} & TT & " in made["latex"]
    assert "% mini val, 200 images, track free; %" in made["latex"]
    record, *others = csv.DictReader(io.StringIO(made["csv"]))
    assert [other["signature"] for other in others] == [other["signature"] for other in result["scores"][1:]]
    assert float(record["iou_image"]) == row["iou_image"]["value"]
    assert record["signature"] == row["signature"]
    printed = json.loads(made["json"])
    assert printed["scores"] == result["scores"]
    assert printed == json.loads((demo_result / "demo.mini.result.json").read_text())


def test_few_images_are_told(demo_result: Path, tmp_path: Path) -> None:
    """From 150 images on, intervals hold; the note is not part of what is printed or written."""
    command = ("evaluate", DEMO, "--out", tmp_path, "--reassign", "tt", "--format", "csv")
    for subset, told in (("first:149", True), ("first:150", False)):
        out, err = here(*command, "--subset", subset, ZGBENCH_CACHE=str(demo_result / "cache"))
        assert ("fewer than 150 images" in err) == told
        assert ("TT cos>=0.5 (149)" in err) == told
        assert "fewer" not in out


def test_per_class_file(demo_result: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((demo_result / "demo.mini.per_class.csv").read_text())))
    names = zgbench.open_dataset("mini").vocabulary.names
    assert [row["class"] for row in rows] == [*names] * 8  # TT, ST, and LT by level and with the nearest text
    assert all(0 <= float(row["iou"]) <= 1 for row in rows if row["iou"])


def test_compare_prints_differences(demo_result: Path) -> None:
    result = demo_result / "demo.mini.result.json"
    out, _ = here("compare", result, result)
    assert "mIoU image" in out
    assert "+0.0 [+0.0, +0.0]" in out
    printed = json.loads(here("compare", result, result, "--json")[0])
    assert printed["rows"][0]["scores"]["iou_image"]["p"] == 1


def test_bad_submissions_give_one_report_and_no_file(tiny_voc: Path, tmp_path: Path) -> None:
    document = sound()
    document["images"][0]["segments"][0]["label"] = ""
    document["images"][1]["size"] = [4, 7]
    path = write(document, tmp_path / "s.json")
    for command in (["evaluate", path, "--protocol", "offline", "--out", tmp_path / "out"], ["validate", path]):
        out, err = here(*command, "--data", tiny_voc, status=2)
        assert not out
        assert "$.images[0].segments[0].label" in err
        assert "$.images[1].size" in err
    assert not (tmp_path / "out").exists()


# ---- the other commands


def test_validate_and_convert(tiny_voc: Path, tmp_path: Path) -> None:
    path = write(sound(), tmp_path / "s.json")
    assert "3 images" in here("validate", path, "--data", tiny_voc)[0]
    assert "Not compared with the data set" in here("validate", path, "--partial")[0]
    out, err = here("convert", path, tmp_path / "s.parquet")
    assert "3 images, 4 segments" in out
    assert not err
    here("validate", tmp_path / "s.parquet", "--data", tiny_voc)

    maps = tmp_path / "maps"
    maps.mkdir()
    for image_id in VOC_IDS:
        Image.fromarray(np.array([[1, 1, 0, 2, 2, 2]] * 4, dtype=np.uint8)).save(maps / f"{image_id}.png")
    here("convert", maps, tmp_path / "m.json", "--name", "maps", "--dataset", "pas20", "--labels", "pas20")
    images = json.loads((tmp_path / "m.json").read_text())["images"]
    assert [s["label"] for s in images[0]["segments"]] == ["aeroplane", "bicycle"]


def test_datasets(tiny_voc: Path, tmp_path: Path) -> None:
    listed, _ = here("datasets", "list")
    for key, images in (("pas20", "1449"), ("pc59", "5104"), ("pc459", "5104"), ("mini", "200")):
        assert re.search(rf"^{key} .*{images} images", listed, re.MULTILINE)
    assert here("datasets", "check", "mini", status=0)[0].startswith("mini: complete")
    out, _ = here("datasets", "check", "pas20", "--data", tiny_voc, status=1)
    assert out.startswith("pas20: usable, not official")
    out, _ = here("datasets", "check", ZGBENCH_DATA=str(tmp_path / "data"), status=1)
    assert "VOCtrainval_11-May-2012.tar" in out
    assert re.search(r"MISSING +0 of 5104 in .*pascal-context/trainval/\*\.mat", out)

    # once prepared, raw files are not needed
    path = write(sound(), tmp_path / "s.json")
    out, _ = here("datasets", "prepare", "pas20", "--data", tiny_voc, "--out", tmp_path / "small")
    assert f"--data {tmp_path / 'small'}" in out
    for folder, data in (("raw", tiny_voc), ("stored", tmp_path / "small")):
        here("evaluate", path, "--data", data, "--protocol", "offline", "--out", tmp_path / folder)
    raw, stored = (json.loads((tmp_path / f / "s.pas20.result.json").read_text()) for f in ("raw", "stored"))
    assert raw["scores"] == stored["scores"]


# ---- the rest


def test_the_demo_is_what_its_maker_makes(tmp_path: Path) -> None:
    script = tmp_path / "make_demo.py"
    script.write_bytes((ROOT / "submissions/make_demo.py").read_bytes())
    subprocess.run([sys.executable, script], check=True, capture_output=True, cwd=ROOT)
    assert (tmp_path / "demo.json").read_bytes() == DEMO.read_bytes()


def test_public_names() -> None:
    assert sorted(zgbench.__all__) == sorted([*zgbench._PLACES, "__version__"])
    for name in zgbench.__all__:
        found = getattr(zgbench, name)
        assert name in ("PRESETS", "__version__") or found.__doc__, name
    with pytest.raises(AttributeError):
        _ = zgbench.nothing
