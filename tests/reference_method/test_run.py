"""``zgbench reference run``: whole runs with the models of mini, killed, resumed, on bad pictures, on several devices."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reference_method.config import preset
from reference_method.pipeline import Reference
from tests.conftest import VOC_IDS
from tests.end_to_end.command import call, here
from zgbench.cli import main
from zgbench.datasets import mini, open_dataset
from zgbench.datasets.photo import to_rgb
from zgbench.errors import UsageError
from zgbench.overlay import draw

QUICK = [f"--set=naming.{change}" for change in ("steps=1", "candidates=16", "beams=2", "max_tokens=2")]
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def _run(
    out: Path, *arguments: object, images: int = 4, status: int = 0, how: Any = here, **environment: str
) -> tuple[str, str]:
    subset = ["--subset", f"first:{images}"]
    return how("reference", "run", "--dataset", "mini", *subset, "--out", out, *QUICK, *arguments, status=status, **ONE_THREAD, **environment)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "ours.json"
    stdout, _ = _run(out, "--device", "cpu", how=call)
    assert f"zgbench evaluate {out} --partial" in stdout
    assert not out.with_name("ours.json.work").exists()
    return out


def test_a_submission_that_evaluates(whole: Path, tmp_path: Path) -> None:
    here("evaluate", whole, "--partial", "--out", tmp_path, ZGBENCH_CACHE=str(tmp_path / "cache"))
    content = json.loads(whole.read_text())
    assert content["track"] == "free" and content["method"]["text_guidance"] is False
    config = json.loads(
        content["method"]["description"].partition("{")[1] + content["method"]["description"].partition("{")[2]
    )
    assert config["config"]["naming"]["candidates"] == 16 and config["config"]["dino"] == "zgbench-mini"
    assert set(config["weights"]) == {"dino", "clip", "language"}


def _child(arguments: list[str]) -> None:
    sys.exit(main(arguments))


def test_killed_at_any_moment_it_ends_with_the_same_file(whole: Path, tmp_path: Path) -> None:
    """kill −9 ten times, each at a random moment, and once more to the end."""
    out = tmp_path / "ours.json"
    arguments = ["reference", "run", "--dataset", "mini", "--subset", "first:4", "--out", str(out), *QUICK, "--device", "cpu", "--batch", "1"]  # fmt: skip
    work = out.with_name("ours.json.work")
    rng = random.Random(0)
    killed = 0
    # a server that has imported the libraries forks each run: ten imports of torch would take a minute
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.reference_method.test_run", "transformers", "open_clip", "timm"])
    for attempt in range(10):
        process = context.Process(target=_child, args=(arguments,))
        process.start()
        # half of them while images are being finished, half at any time, the start included
        if attempt % 2:
            begin, before = time.monotonic(), len(list(work.glob("image-*")))
            while len(list(work.glob("image-*"))) == before and process.is_alive() and time.monotonic() - begin < 60:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.05))
        else:
            time.sleep(rng.uniform(0, 2))
        if process.is_alive():
            process.kill()
            killed += 1
        process.join()
        if out.exists():
            break
    assert killed >= 3
    _run(out, "--device", "cpu", how=call)
    assert out.read_bytes() == whole.read_bytes()


def test_a_run_with_other_settings_does_not_mix_in(tmp_path: Path) -> None:
    out = tmp_path / "ours.json"
    folder = tmp_path / "ours.json.work"
    folder.mkdir()
    (folder / "run.json").write_text('{"dataset": "mini"}')
    (folder / "image-mini_val_0000.json").write_text("{}")
    _, err = _run(out, status=2)
    assert "holds finished images of another run" in err and "config" in err
    assert not out.exists()


def test_two_processes_write_the_same_file(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "ours.json"
    _run(out, "--device", "cpu,cpu", how=call)
    assert out.read_bytes() == whole.read_bytes()


def test_ray_writes_the_same_file(whole: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs the extra ray, which is not installed")
    out = tmp_path / "ours.json"
    _run(out, "--engine", "ray", "--device", "cpu", how=call)
    assert out.read_bytes() == whole.read_bytes()


def test_oracle_track(tmp_path: Path) -> None:
    out = tmp_path / "oracle.json"
    _run(out, "--track", "oracle", images=2)
    content = json.loads(out.read_text())
    assert content["track"] == "oracle"
    dataset = open_dataset("mini", subset="first:2")
    for image in content["images"]:
        found = {segment["class"] for segment in image["segments"]}
        truth = dataset.source.truth(image["id"]).classes()
        assert found == {dataset.vocabulary.name(int(c)) for c in np.unique(truth) if int(c) in dataset.vocabulary.ids}


@pytest.mark.parametrize(
    "changes",
    [
        ("encoder.mode=crop",),
        ("encoder.mode=masked", "merge=none"),
        ("criterion=ward", "encoder.saliency=probabilities"),
    ],
)
def test_ablations(tmp_path: Path, changes: tuple[str, ...]) -> None:
    out = tmp_path / "ours.json"
    _run(out, *(f"--set={change}" for change in changes), images=1)
    assert json.loads(out.read_text())["images"][0]["segments"]


def _settings(content: bytes) -> dict[str, Any]:
    _, brace, rest = json.loads(content)["method"]["description"].partition("{")
    found: dict[str, Any] = json.loads(brace + rest)
    return found


def test_batches_and_half_precision(whole: Path, tmp_path: Path) -> None:
    """The weights are the same, whatever is computed with them."""
    out = tmp_path / "ours.json.gz"
    _run(out, "--batch", "2", "--precision", "bf16", images=2)
    here("validate", out, "--partial")
    half, full = _settings(gzip.decompress(out.read_bytes())), _settings(whole.read_bytes())
    assert half["precision"] == "bf16" and full["precision"] == "fp32"
    assert half["weights"] == full["weights"]


def test_many_images_on_a_cpu_get_a_replica_a_thread(tmp_path: Path) -> None:
    """By default, and never so many that a start would not pay."""
    out = tmp_path / "ours.json"
    _, err = _run(out, "--batch", "1", "--threads", "3", images=17, how=call)
    assert "cpu, cpu: 1 thread (for each of 2 replicas, of 3 threads (--threads))" in err
    again = tmp_path / "again.json"
    _, err = _run(again, "--batch", "1", "--threads", "3", "--device", "cpu", images=17, how=call)
    assert "cpu: 1 thread (for each of 2 stages side by side, of 3 threads (--threads))" in err
    ours, one = json.loads(out.read_text()), json.loads(again.read_text())
    assert ours["images"] == one["images"]


def test_threads_are_said(tmp_path: Path) -> None:
    _, err = _run(tmp_path / "ours.json", "--threads", "1", "--device", "cpu", images=1, how=call)
    assert "cpu: 1 thread (--threads)" in err
    _, err = _run(tmp_path / "ours.json", "--threads", "0", images=1, status=2)
    assert "--threads 0: expected at least 1" in err


# ---- pictures that are not as they should be


def _voc(out: Path, data: Path, *arguments: object, status: int = 0) -> tuple[str, str]:
    return here("reference", "run", "--dataset", "pas20", "--data", data, "--preset", "mini", "--out", out, *QUICK, *arguments, status=status, **ONE_THREAD)  # fmt: skip


def test_a_corrupt_photo_stops_or_is_skipped(tiny_voc: Path, tmp_path: Path) -> None:
    photo = tiny_voc / "VOCdevkit/VOC2012/JPEGImages" / f"{VOC_IDS[1]}.jpg"
    photo.write_bytes(photo.read_bytes()[:60])
    out = tmp_path / "ours.json"
    _, err = _voc(out, tiny_voc, status=2)
    assert VOC_IDS[1] in err and "--keep-going" in err and not out.exists()
    _, err = _voc(out, tiny_voc, "--keep-going")
    assert "skipped: " in err and VOC_IDS[1] in err
    images = {image["id"]: image for image in json.loads(out.read_text())["images"]}
    assert set(images) == set(VOC_IDS)
    assert images[VOC_IDS[1]]["segments"] == [] and images[VOC_IDS[0]]["segments"]


@pytest.fixture(scope="module")
def quick_method() -> Reference:
    return Reference(preset("mini", None).with_({f"naming.{k}": v for k, v in (("steps", "1"), ("candidates", "16"), ("beams", "2"), ("max_tokens", "2"))}))  # fmt: skip


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (6000, 400)])
def test_sizes(quick_method: Reference, size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    (segments,) = quick_method([Image.fromarray(values)])
    assert sum(segment.mask.astype(int) for segment in segments).tolist() == np.ones((size[1], size[0]), int).tolist()
    assert all(segment.label for segment in segments)
    picture = draw(Image.fromarray(values), [s.mask for s in segments], [s.label for s in segments])
    assert picture.mode == "RGB" and abs(picture.width / picture.height - size[0] / size[1]) < 0.01


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "1", "I;16", "LA"])
def test_modes(mode: str) -> None:
    """Every mode says what the RGB picture says, but for the colours that it cannot hold."""
    photo = Image.fromarray(mini.scene("train", 900_000_000).image)
    if mode == "I;16":
        grey = np.asarray(photo.convert("L")).astype(np.uint16) * 257
        found = to_rgb(Image.fromarray(grey))
        np.testing.assert_array_equal(np.asarray(found)[..., 0], np.asarray(photo.convert("L")))
        return
    found = to_rgb(photo.convert(mode))
    assert found.mode == "RGB" and found.size == photo.size
    near = photo.convert("L").convert("RGB") if mode in ("L", "LA") else photo
    if mode not in ("1", "P"):
        assert np.abs(np.asarray(found).astype(int) - np.asarray(near)).mean() < 4


def test_an_empty_mask_names_its_place(quick_method: Reference) -> None:
    photo = Image.fromarray(mini.scene("train", 900_000_000).image)
    masks = np.zeros((2, photo.height, photo.width), dtype=bool)
    masks[0] = True
    with pytest.raises(UsageError, match="1"):
        quick_method.name_segments([photo], [masks])


# ---- what is said when it cannot be


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "give either photos (or folders of them), or --dataset and --out"),
        (["--dataset", "mini"], 2, "--out FILE"),
        (["--dataset", "mini", "--out", "x.json", "--set", "colour=1"], 2, "Known: dino"),
        (["--dataset", "mini", "--out", "x.json", "--set", "colour"], 2, "NAME=VALUE"),
        (["--dataset", "mini", "--out", "x.txt"], 2, ".parquet"),
        (["--dataset", "mini", "--out", "x.json", "--device", "cuda:9"], 2, "CUDA"),
        (["--dataset", "mini", "--out", "x.json", "--batch", "0"], 2, "at least 1"),
        (["--dataset", "mini", "--out", "x.json", "--method", "groupvit", "--track", "oracle"], 2, "leave --track oracle out"),
        (["--dataset", "mini", "--out", "x.json", "--preset", "paper"], 1, "vit_small_patch8_224.dino"),
        (["--dataset", "mini", "--out", "x.json", "--method", "groupvit"], 1, "GroupViT"),
    ],
    ids=str,
)  # fmt: skip
def test_refusals(arguments: list[str], status: int, said: str, tmp_path: Path) -> None:
    how = call if status == 1 else here  # a hub's settings are read once a process
    _, err = how("reference", "run", *arguments, status=status, cwd=tmp_path, HF_HOME=str(tmp_path / "hub"), PYTHONPATH=str(Path(__file__).parents[2]))  # fmt: skip
    assert said in err
    assert not (tmp_path / "x.json").exists()
