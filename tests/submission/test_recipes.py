"""docs/convert.md: every recipe is run, on real objects of the library where it is installed."""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.submission import kinds
from tests.submission.test_objects import BOTH, MAP, MASKS, NAMES, SAM, transformers_outputs
from zgbench.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs/convert.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^zgbench convert .*", PAGE, re.MULTILINE)
RECIPES = {m[1]: m[2] for m in re.finditer(r"```python\n# (.*)\n((?:.*\n)*?)```", PAGE)}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the page's commands name."""
    put = kinds.put
    for image_id in VOC_IDS:
        put(tmp_path / "maps", f"{image_id}.png", kinds.MAP)
        put(tmp_path / "classes", f"{image_id}.png", kinds.ZERO)
        put(tmp_path / "coloured", f"{image_id}.png", kinds.COLOURED)
        put(tmp_path / "panoptic", f"{image_id}.png", kinds.RGB)
        put(tmp_path / "sam", f"{image_id}.json", [{"segmentation": kinds.rle_of(mask)} for mask in MASKS])
    put(tmp_path, "labels.json", {i: {"1": "a plane", "2": "a dog"} for i in VOC_IDS})
    put(tmp_path, "captions.json", dict.fromkeys(VOC_IDS, BOTH))
    put(tmp_path, "legend.json", {"a plane": [128, 0, 0], "a dog": [64, 0, 128]})
    put(
        tmp_path / "panoptic",
        "panoptic.json",
        {"annotations": [{"file_name": f"{i}.png", "segments_info": kinds.INFO} for i in VOC_IDS]},
    )
    put(tmp_path, "results.json", [{**r, "image_id": k} for k in range(3) for r in kinds.OVERLAPPING])
    images = [{"id": k, "file_name": f"{i}.jpg", "height": 4, "width": 6} for k, i in enumerate(VOC_IDS)]
    put(tmp_path, "val.json", {"images": images, "categories": kinds.CATEGORIES, "annotations": []})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command(files: Path, tiny_voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(COMMANDS) == 7
    for command in COMMANDS:
        assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err
        said = capsys.readouterr()
        assert re.search("3( of 1449)? images, 6 segments", said.out) and not said.err, command
        assert said.out.endswith(" --partial\n") == ("--dataset" in command), command  # 3 of 1449; else it is not known
        assert zgbench.validate(shlex.split(command)[3], data=tiny_voc).images == 3


def quiet(name: str) -> Any:
    """A library that is no dependency; some warn when they are imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not a dependency")


def _sam() -> dict[str, Any]:
    return {
        "generator": SimpleNamespace(generate=lambda _: SAM),
        "photo": None,
        "caption": lambda _, mask: "a plane" if mask[0, 0] else "a dog",
    }


def _supervision() -> dict[str, Any]:
    boxes = np.array([[0, 0, 2, 4], [3, 0, 6, 4]], float)
    return {
        "sv": quiet("supervision"),
        "boxes": boxes,
        "masks": MASKS,
        "class_ids": np.array([1, 12]),
        "scores": np.array([0.9, 0.8]),
        "names": NAMES,
    }


def _detectron2() -> dict[str, Any]:
    """It is in no registry: its types are stood in for, with their fields."""
    torch = pytest.importorskip("torch")
    info = [{"id": 1, "isthing": True, "category_id": 1}, {"id": 2, "isthing": False, "category_id": 12}]
    instances = SimpleNamespace(
        pred_masks=torch.tensor(MASKS), pred_classes=torch.tensor([1, 12]), scores=torch.tensor([0.9, 0.8])
    )
    outputs = {"panoptic_seg": (torch.tensor(MAP, dtype=torch.int32), info), "instances": instances}
    return {"predictor": lambda _: outputs, "photo": None, "names": NAMES}


def _transformers() -> dict[str, Any]:
    processor = quiet("transformers").MaskFormerImageProcessor()
    return {
        "processor": processor,
        "outputs": transformers_outputs(),
        "id2label": {k: f"class {k}" for k in range(20)} | NAMES,
    }


BROUGHT: dict[str, Callable[[], dict[str, Any]]] = {
    "masks": lambda: {"probabilities": MASKS * 0.9, "embeddings": None},
    "label map": lambda: {"label_map": MAP},
    "segment-anything": _sam,
    "supervision": _supervision,
    "detectron2": _detectron2,
    "transformers": _transformers,
    "transformers, semantic": _transformers,
    "run lengths": lambda: {"coco_mask": quiet("faster_coco_eval").mask, "np": np, "masks": MASKS},
}


def test_every_recipe_has_a_test() -> None:
    assert set(RECIPES) == set(BROUGHT)


@pytest.mark.parametrize("recipe", BROUGHT)
def test_recipe(recipe: str, tmp_path: Path) -> None:
    names = BROUGHT[recipe]()
    with zgbench.SubmissionWriter(tmp_path / "mine.parquet", name="m", dataset="pas20") as submission:
        exec(RECIPES[recipe], names | {"submission": submission})
    assert zgbench.validate(tmp_path / "mine.parquet", partial=True).images == RECIPES[recipe].count("submission.add(")
    assert submission.segments >= 2
