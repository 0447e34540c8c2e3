"""What a reader of a page has before him: a home with data, a submission, results; models and servers are stood in for."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.datasets import drawn
from tests.docs.pages import ROOT
from tests.end_to_end.command import here
from tests.submission.sample import sound, write
from zgbench import pages
from zgbench.datasets.catalogue import SPECS
from zgbench.models import locate
from zgbench.ratings import open_store


@dataclass
class Desk:
    """A folder in which the commands of a page are run.

    Attributes:
        names: what the page's Python has besides its own imports.
    """

    folder: Path
    environment: dict[str, str]
    names: dict[str, Any] = field(default_factory=dict)

    def expanded(self, word: str) -> str:
        """A word as a shell gives it on."""
        home = self.environment["HOME"]
        return word.replace("~/", f"{home}/", 1) if word.startswith("~/") else word

    def zgbench(self, words: list[str], given: dict[str, str]) -> str:
        """Run a command, which must end well."""
        return here(*map(self.expanded, words), cwd=self.folder, **self.environment, **given)[0]

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """For Python, which runs in this process."""
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(None):
            yield


def laid(page: str, folder: Path, voc: Path, patch: pytest.MonkeyPatch) -> Desk:
    """A desk for a page.

    ``mine.json`` is a submission for a PAS-20 whose official split has three small images; the text model of v1 is the
    bundled one, and a page server ends at once.
    """
    folder.mkdir()
    desk = Desk(
        folder,
        {
            "HOME": str(folder / "home"),
            "HF_HUB_OFFLINE": "1",
            "ZGBENCH_DATA": str(voc),
            "ZGBENCH_CACHE": str(folder / "cache"),
        },
    )
    (folder / "home").mkdir()
    # of its own: what a board is found to be with the small split below must not reach other tests
    patch.setenv("ZGBENCH_CACHE", desk.environment["ZGBENCH_CACHE"])
    (folder / "home/data").symlink_to(voc)
    (folder / "DIR").symlink_to(voc)
    for key in ("pas20", "pc59"):
        patch.setitem(SPECS, key, replace(SPECS[key], official_ids=lambda: VOC_IDS))
    small_model = {"all-mpnet-base-v2": "all-MiniLM-L6-v2"}
    patch.setattr("zgbench.encoders.text.locate", lambda name: locate(small_model.get(name, name)))
    patch.setattr(pages, "serve", lambda *_, **__: 0)
    (folder / "models").mkdir()
    write(sound(), folder / "mine.json")
    with contextlib.chdir(folder):
        zgbench.convert("mine.json", "mine.parquet")
    PREPARED.get(page, lambda _: None)(desk)
    return desk


# ---- what some pages need besides


def _demo(desk: Desk) -> None:
    """The demo's submission, and a photo."""
    drawn.photo(desk.folder / "photos/scene.jpg")
    (desk.folder / "submissions").mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "submissions/demo.json", desk.folder / "submissions/demo.json")


def _results(desk: Desk) -> None:
    """Results of three methods that call the plane otherwise; and one in ``results/``."""
    for letter, label in zip("ABC", ("aeroplane", "plane", "bird"), strict=True):
        text = json.dumps(sound()).replace('"plane"', f'"{label}"').replace("my method", letter)
        (desk.folder / f"{letter}.json").write_text(text)
        desk.zgbench(
            ["evaluate", f"{letter}.json", "--data", "DIR", "--out", ".", "--protocol", "offline", "--reassign", "tt"],
            {},
        )
        (desk.folder / f"{letter}.pas20.result.json").rename(desk.folder / f"{letter}.result.json")
    desk.zgbench(["evaluate", "mine.json", "--data", "DIR", "--protocol", "offline", "--reassign", "tt"], {})


def _pairs(desk: Desk) -> None:
    (desk.folder / "PAIRS.csv").write_text("label,class\npassenger plane,aeroplane\na dog,dog\nsky,none\n")
    _results(desk)


def _kitchens(desk: Desk) -> None:
    """Photos and masks of one's own, and a submission for them."""
    place = desk.folder / "home/kitchens"
    for image_id in drawn.IDS:
        drawn.save(place / f"masks/{image_id}.png", drawn.stripes(1, 2, 0, 255).astype(np.uint8))
        drawn.photo(place / f"photos/{image_id}.jpg")
    images = [{"id": image_id, "size": [*drawn.SIZE], "segments": []} for image_id in drawn.IDS]
    write(sound() | {"dataset": "kitchens", "images": images}, desk.folder / "mine.json")


def _study(desk: Desk) -> None:
    """The same submission under the name of that page."""
    shutil.copyfile(desk.folder / "mine.json", desk.folder / "submission.json")
    (desk.folder / "people.csv").write_text("name\nBen\nEve\n")


def _store(desk: Desk) -> None:
    desk.zgbench(["ratings", "sample", "mine.json", "--n", "5", "--controls", "0", "--ratings", "study.db"], {})


def _my_method(desk: Desk) -> None:
    def my_method() -> Iterator[Any]:
        for image_id in VOC_IDS:
            yield image_id, np.array([[1, 1, 0, 2, 2, 2]] * 4), ["passenger plane", "sky"]

    desk.names["my_method"] = my_method
    label_map = np.array([[1, 1, 0, 2, 2, 2]] * 4, dtype=np.uint8)
    for image_id in VOC_IDS:
        drawn.save(desk.folder / f"maps/{image_id}.png", label_map)
        drawn.save(desk.folder / f"coco_panoptic/{image_id}.png", np.stack([label_map] + [label_map * 0] * 2, axis=2))
    infos = [{"id": k, "label": label} for k, label in ((1, "passenger plane"), (2, "sky"))]
    annotations = [{"file_name": f"{image_id}.png", "segments_info": infos} for image_id in VOC_IDS]
    (desk.folder / "coco_panoptic/panoptic.json").write_text(json.dumps({"annotations": annotations}))
    labels = {image_id: {"1": "passenger plane", "2": "sky"} for image_id in VOC_IDS}
    (desk.folder / "labels.json").write_text(json.dumps(labels))


PREPARED: dict[str, Callable[[Desk], None]] = {
    "README.md": _demo,
    "docs/start.md": _demo,
    "docs/protocols.md": _demo,
    "docs/python.md": _demo,
    "docs/reproduce.md": _results,
    "docs/serving.md": _store,
    "docs/signature.md": _results,
    "docs/intervals.md": _results,
    "docs/mapping.md": _pairs,
    "docs/datasets.md": _kitchens,
    "submissions/README.md": _my_method,
    "human_eval/README.md": _study,
}


def _rated(store: str) -> Callable[[Desk], None]:
    """Somebody rates all items on the page that was just started."""

    def rate(desk: Desk) -> None:
        from tests.ratings.acting import invited, rate_all

        with open_store(desk.folder / store) as found:
            found.configure(min_seconds=0)
            rate_all(found, invited(found, "Ann"))

    return rate


def _filled(desk: Desk) -> None:
    """``mapping new`` leaves the class to people."""
    file = desk.folder / "judge.csv"
    rows = list(csv.DictReader(file.read_text().splitlines()))
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, ["label", "class"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"class": "none", "level": ""} for row in rows)


AFTER: dict[tuple[str, str], Callable[[Desk], None]] = {
    ("docs/mapping.md", "mapping new mine.json judge.csv"): _filled,
    ("README.md", "rate --ratings study.db"): _rated("study.db"),
    ("human_eval/README.md", "rate --port 8501"): _rated("study.db"),
}
"""What a reader does after a command, before the next."""
