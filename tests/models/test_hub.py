"""Models from a stand-in of the hub: from the first run to the days on which everything goes wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.repositories import pinned
from tests.hub.server import Hub, Repository, serving
from tests.models.conftest import Machine, unpack

NAME = "all-mpnet-base-v2"
WEIGHTS = "model.safetensors"


@pytest.fixture
def hub(tiny: Repository, machine: Machine) -> Iterator[Hub]:
    """A hub that is up and has the machine's one model."""
    machine.models = [pinned(NAME, tiny, WEIGHTS)]
    with serving(tiny) as found:
        machine.environment["HF_ENDPOINT"] = found.url
        yield found


def test_fetched_once_then_from_the_cache(hub: Hub, machine: Machine, tiny: Repository) -> None:
    first = machine.run("models", "fetch", NAME)
    assert first.returncode == 0, first.stderr
    size = sum(len(content) for content in tiny.files.values()) / 1e6
    assert f"fetching {tiny.name} from {hub.url}: {size:,.1f} MB" in first.stderr
    place = machine.snapshot(machine.models[0])
    assert first.stdout.startswith(f"{NAME}: {place}, model.safetensors sha256 {machine.models[0].weights.sha256}")
    assert {str(p.relative_to(place)) for p in place.rglob("*") if p.is_file()} == set(tiny.files)
    assert sum(line.startswith("GET /cdn/") for line in hub.requests) == sum(map(tiny.large, tiny.files))

    hub.requests.clear()
    assert machine.run("models", "fetch", NAME).returncode == 0
    assert machine.run("models", "check", NAME).stdout.startswith(f"ok       {NAME}: {place} (hub's cache)")
    assert hub.requests == []
    offline = machine.run("models", "check", NAME, HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9")
    assert offline.returncode == 0


def test_a_folder_for_machines_without_internet(hub: Hub, machine: Machine, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    made = machine.run("models", "fetch", NAME, "--to", stick)
    assert made.returncode == 0, made.stderr
    assert f"--models {stick}" in made.stdout
    shutil.rmtree(machine.hub)
    assert machine.run("models", "check", NAME, HF_HUB_OFFLINE="1").returncode == 1
    for options, environment in ((("--models", stick), {}), ((), {"ZGBENCH_MODELS": str(stick)})):
        found = machine.run("models", "check", NAME, *options, HF_HUB_OFFLINE="1", **environment)
        assert (found.returncode, found.stdout.split(",")[0]) == (0, f"ok       {NAME}: {stick / NAME} (models folder)")
    # the same in the layouts of the hub: cloned under the repository's name, or its cache copied
    machine.run("models", "fetch", NAME)
    for place in ("sentence-transformers/all-mpnet-base-v2", "."):
        (other := tmp_path / f"stick-{len(place)}").mkdir()
        if place == ".":
            shutil.copytree(machine.hub, other, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copytree(stick / NAME, other / place)
        assert "(models folder)" in machine.run("models", "check", NAME, "--models", other).stdout
    wrong = machine.run("models", "check", "--models", tmp_path / "nowhere")
    assert wrong.returncode == 2 and "there is no such folder. See docs/models.md" in wrong.stderr


THREE_WAYS = (
    "fetched at its first use",
    f"zgbench models fetch {NAME}\n",
    f"DIR/{NAME}",
    "--models DIR",
    "ZGBENCH_MODELS",
)


@pytest.mark.parametrize(
    ("fault", "cause", "seconds"),
    [
        ("429", "answers 429, too many requests: wait some minutes, or set HF_TOKEN", 12),
        ("hang", "did not answer within 2 seconds", 12),
        (f"missing {WEIGHTS}", f"has no file {WEIGHTS}", 12),
        (f"short {WEIGHTS}", "is not the published one (sha256 ", 12),
        (f"other {WEIGHTS}", "is not the published one (sha256 ", 12),
        ("other config.json", "the file config.json that http", 12),
        ("away", "cannot be reached (ConnectError", 12),
        ("offline", "HF_HUB_OFFLINE forbids to ask the hub", 12),
    ],
)
def test_bad_days_are_told_at_once(fault: str, cause: str, seconds: int, hub: Hub, machine: Machine) -> None:
    environment = {
        "away": {"HF_ENDPOINT": "http://127.0.0.1:9"},
        "offline": {"HF_HUB_OFFLINE": "1"},
        "hang": {"ZGBENCH_TEST_PATIENCE": "2"},  # 10 seconds for everybody else
    }.get(fault, {})
    hub.fault = fault
    found = machine.run("models", "fetch", NAME, **environment)
    assert found.returncode == 1
    assert f"the model {NAME} (revision " in found.stderr and cause in found.stderr
    for way in THREE_WAYS:
        assert way in found.stderr
    assert "Traceback" not in found.stderr and "connect to the internet" not in found.stderr.lower()
    assert found.seconds < seconds  # type: ignore[attr-defined]
    if WEIGHTS in fault:  # and the next day everything works
        hub.fault = ""
        again = machine.run("models", "fetch", NAME)
        assert again.returncode == 0, again.stderr


def test_a_download_that_breaks_off_is_taken_up_again(hub: Hub, machine: Machine) -> None:
    hub.fault = f"cut {WEIGHTS}"  # each time half of the rest comes
    found = machine.run("models", "fetch", NAME)
    assert found.returncode in (0, 1)
    hub.fault = ""
    assert machine.run("models", "fetch", NAME).returncode == 0
    assert machine.run("models", "check", NAME).returncode == 0


@pytest.mark.parametrize("damage", ["cut off", "another model", "missing"])
def test_damage_in_the_hubs_cache(damage: str, hub: Hub, machine: Machine, other: Repository) -> None:
    assert machine.run("models", "fetch", NAME).returncode == 0
    file = machine.snapshot(machine.models[0]) / WEIGHTS
    blob = file.resolve()
    if damage == "missing":
        blob.unlink()
    else:
        blob.write_bytes(blob.read_bytes()[:1000] if damage == "cut off" else other.files[WEIGHTS])
    found = machine.run("models", "check", NAME)
    assert found.returncode == 1
    if damage != "missing":
        assert f"damaged  {NAME}: {file} is not the published file: sha256 " in found.stderr
        assert f"Fetch it again: zgbench models fetch {NAME}" in found.stderr
    again = machine.run("models", "fetch", NAME)
    assert again.returncode == 0, again.stderr
    assert machine.run("models", "check", NAME).returncode == 0


def test_a_models_folder_is_taken_at_its_word(
    hub: Hub, machine: Machine, tiny: Repository, other: Repository, tmp_path: Path
) -> None:
    """A model that is incomplete or wrong there is an error, though the hub's cache has the right one."""
    assert machine.run("models", "fetch", NAME).returncode == 0
    folder = unpack(tiny, tmp_path / "stick" / NAME)
    assert machine.run("models", "check", NAME, "--models", folder.parent).returncode == 0
    (folder / WEIGHTS).write_bytes(other.files[WEIGHTS])  # swapped after it was checked
    found = machine.run("models", "check", NAME, "--models", folder.parent)
    assert found.returncode == 1 and f"{folder / WEIGHTS} is not the published file" in found.stderr
    assert f"zgbench models fetch {NAME} --to {folder.parent}" in found.stderr
    (folder / WEIGHTS).unlink()
    found = machine.run("models", "check", NAME, "--models", folder.parent)
    assert found.returncode == 1 and f"{folder} lacks {WEIGHTS}" in found.stderr


def test_an_older_revision_with_the_same_file(hub: Hub, machine: Machine, tiny: Repository, other: Repository) -> None:
    """The hash says what a file is: another snapshot in the hub's cache will do, and another model there is passed over."""
    place = machine.snapshot(machine.models[0])
    unpack(other, place.with_name("0" * 40))
    unpack(tiny, place.with_name("f" * 40))
    found = machine.run("models", "check", NAME)
    assert (found.returncode, "f" * 40 in found.stdout) == (0, True)


def test_unknown_names(machine: Machine) -> None:
    found = machine.run("models", "fetch", "no-such-model")
    assert (
        found.returncode == 2 and "there is no model 'no-such-model' in the catalogue. Known: all-mpnet" in found.stderr
    )


def test_evaluate_with_a_model_from_the_hub(hub: Hub, machine: Machine, tiny_voc: Path, tiny: Repository) -> None:
    """First run, second from the cache without a request, third offline with another label: the model itself is loaded."""
    from tests.models.submissions import write

    sha256 = machine.models[0].weights.sha256
    first = machine.run("evaluate", write(tiny_voc, "cat"), "--data", tiny_voc, "--reassign", "tt", "--out", "one")
    assert first.returncode == 0, first.stderr
    assert f"fetching {tiny.name}" in first.stderr and f"encoder:{NAME}@{sha256[:8]}," in first.stdout
    hub.requests.clear()
    offline = machine.run(
        "evaluate", write(tiny_voc, "dog"), "--data", tiny_voc, "--reassign", "tt", "--out", "two", HF_HUB_OFFLINE="1"
    )
    assert offline.returncode == 0, offline.stderr
    assert offline.stderr == "" and hub.requests == []
