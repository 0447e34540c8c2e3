"""Fixtures for everybody: a cache of one's own, a stand-in for the text model, a tiny VOC, the real photos."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zgbench.models import Found, locate

# started in the background of a shell or with nohup, this process would pass on to all that tests start not to hear a
# signal; what is heard here is heard there
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

USERS_MODELS = {
    name: os.environ.get(name) for name in ("ZGBENCH_MODELS", "ZGBENCH_CACHE")
}  # before tests get a cache of their own
LONGEST_FIRST = ("end_to_end", "reference_method", "fuzz", "board", "models", "encoders")
"""Folders whose modules take minutes: last, one of them would keep one test process busy while the other has nothing to do."""
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def own_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, worker_cache: Path
) -> Iterator[None]:
    """No test reads or writes the user's cache, or is led by the user's data folder."""
    monkeypatch.setenv("ZGBENCH_CACHE", str(worker_cache))
    monkeypatch.delenv("ZGBENCH_DATA", raising=False)
    monkeypatch.delenv("ZGBENCH_MODELS", raising=False)
    yield


@pytest.fixture(scope="session")
def worker_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache a test process, so that the text model is loaded once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def mpnet() -> Iterator[Found]:
    """The real all-mpnet-base-v2, its files checked, for the whole module; ``make test`` fetches it."""
    from zgbench.models import find

    with pytest.MonkeyPatch.context() as patch:
        for name, value in USERS_MODELS.items():
            patch.setenv(name, value) if value else patch.delenv(name, raising=False)
        found = find("all-mpnet-base-v2")
    if found is None:
        pytest.skip(
            "needs all-mpnet-base-v2: `zgbench models fetch all-mpnet-base-v2` found no way to it, or was not run"
        )
    with pytest.MonkeyPatch.context() as patch:
        # found by its hash wherever it lies; the tests' own cache and environment name another place
        patch.setattr("zgbench.encoders.text.locate", lambda name: found if name == found.model.name else locate(name))
        yield found


@pytest.fixture
def shared_data() -> Path:
    """The real photos and truths beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the real images of {SHARED.name} beside the project, which are not there")
    return SHARED


class HashedText:
    """Stands in for Sentence-BERT: equal texts are equal, others are nearly orthogonal."""

    name = "hashed-text"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = []
        for text in texts:
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
            rows.append(np.random.RandomState(seed).standard_normal(256))
        found = np.stack(rows)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def hashed_text() -> HashedText:
    return HashedText()


VOC_IDS = ("2007_000033", "2007_000042", "2007_000061")


@pytest.fixture
def tiny_voc(tmp_path: Path) -> Path:
    """Three drawn images in the folders of PASCAL VOC 2012: 4 × 6 pixels, classes 1, 2 and 12, a void stripe."""
    data = tmp_path / "data"
    place = data / "VOCdevkit/VOC2012"
    (place / "SegmentationClass").mkdir(parents=True)
    (place / "JPEGImages").mkdir()
    (place / "ImageSets/Segmentation").mkdir(parents=True)
    (place / "ImageSets/Segmentation/val.txt").write_text("\n".join(VOC_IDS) + "\n")
    for k, image_id in enumerate(VOC_IDS):
        truth = np.zeros((4, 6), dtype=np.uint8)
        truth[:, :2] = 1
        truth[:2, 3:] = 2
        truth[2:, 3:] = 12 if k else 0
        truth[:, 2] = 255
        picture = Image.fromarray(truth)
        picture.putpalette(np.repeat(np.arange(256), 3).tolist())
        picture.save(place / f"SegmentationClass/{image_id}.png")
        Image.fromarray(np.full((4, 6, 3), 40 * k, dtype=np.uint8)).save(place / f"JPEGImages/{image_id}.jpg")
    return data
