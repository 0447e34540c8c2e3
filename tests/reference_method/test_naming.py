"""Stage 3: candidate scores against open_clip's own text encoding, batched ZeroCap against the plain loop."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_method import naming
from reference_method.clip_text import ClipText
from reference_method.config import preset
from reference_method.language import LanguageModel
from reference_method.naming import ZeroCap, ZeroCapConfig, clean
from reference_method.plain import zerocap
from reference_method.text_memory import TextMemory
from tests.reference_method import small
from zgbench.encoders import clip as clips
from zgbench.errors import UsageError


@pytest.fixture(scope="module")
def clip():
    return small.clip()


@pytest.fixture(scope="module")
def text(clip):
    return ClipText(clip, small.clip_tokenizer())


@pytest.fixture(scope="module")
def language():
    return small.language()


def _whole(clip, tokenizer, texts):
    with torch.inference_mode():
        return F.normalize(clip.encode_text(tokenizer(texts)).float(), dim=-1)


def _shared(text, prefixes, numbers, owns):
    return text.encode_shared(prefixes, np.array(numbers), *text.padded(owns))


# --- candidates by shared prefix -------------------------------------------------------------------------------------


PREFIXES = ["Image of a", "Image of a wooden cup", "Image of a cat on the", "", "Image of a doub"]


def _contexts(language):
    contexts = [tuple(language.tokenizer.encode(prefix)) for prefix in PREFIXES]
    assert [language.text(context) for context in contexts] == PREFIXES
    return contexts


def test_candidate_scores_equal_whole_encoding(clip, text, language):
    """Every token of the language model after prompts of several kinds, against 77 tokens through open_clip."""
    prefixes = PREFIXES
    torch.manual_seed(3)
    targets = F.normalize(torch.randn(len(prefixes), 48), dim=-1)
    scores = TextMemory(text, language).scores(_contexts(language), targets)
    usable = (~language.unusable).nonzero()[:, 0]
    tokens = usable.expand(len(prefixes), -1)
    found = scores(tokens)
    worst = 0.0
    for row, prefix in enumerate(prefixes):
        texts = [prefix + language.words[token] for token in usable.tolist()]
        expected = _whole(clip, small.clip_tokenizer(), texts) @ targets[row]
        assert expected.std() > 0.02  # texts differ, so equality says something
        worst = max(worst, float((found[row] - expected).abs().max()))
    assert worst <= 1e-4
    assert torch.equal(scores(tokens), found)


def test_a_candidate_without_a_space_changes_the_last_words_tokens(text):
    """'double' + 'd' is other tokens than those of 'double' and then 'd'."""
    tokenizer = small.clip_tokenizer()
    joined = tokenizer.encode("image of a snowboarder")
    prefix, own = text.split("Image of a snowboard", "er")
    assert [*prefix, *own] == joined
    assert tokenizer.encode("image of a snowboard") + tokenizer.encode("er") != joined
    prefix, own = text.split("Image of a snowboard", " er")
    assert [*prefix, *own] == tokenizer.encode("image of a snowboard er")
    assert list(prefix) == tokenizer.encode("image of a snowboard")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=12), st.text(max_size=6))
def test_split_tokens_are_the_joined_texts(text, before, after):
    prefix, own = text.split("Image of a" + before, after)
    assert [*prefix, *own] == small_tokenizer().encode("Image of a" + before + after)


_TOKENIZER = None


def small_tokenizer():
    global _TOKENIZER
    _TOKENIZER = _TOKENIZER or small.clip_tokenizer()
    return _TOKENIZER


def test_texts_longer_than_the_context_are_cut_as_open_clip_cuts_them(clip, text):
    long = "Image of a " + "red " * 90
    for continuation in (" cup", "dish", "."):
        prefix, own = text.split(long, continuation)
        found = _shared(text, [prefix], [0], [own])
        torch.testing.assert_close(found, _whole(clip, small_tokenizer(), [long + continuation]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_many_prefixes_and_lengths_together(clip, text, seed):
    rng = random.Random(seed)
    words = ["cup", "wooden", "a", "snowboarder", "zgbench", "of", "on the", "café"]
    prefixes, numbers, owns, texts = [], [], [], []
    for number in range(7):
        start = " ".join(rng.choices(words[:7], k=rng.randrange(0, 9)))
        prefixes.append(tuple(small_tokenizer().encode(start)))
        for _ in range(rng.randrange(1, 60)):
            rest = " ".join(rng.choices(words, k=rng.randrange(1, 4)))
            numbers.append(number)
            owns.append(tuple(small_tokenizer().encode(rest)))
            texts.append(f"{start} {rest}")
    order = rng.sample(range(len(texts)), len(texts))
    found = _shared(text, prefixes, [numbers[k] for k in order], [owns[k] for k in order])
    expected = _whole(clip, small_tokenizer(), [texts[k] for k in order])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def test_an_embedding_does_not_depend_on_its_company(clip, threads):
    """To the last bit: alone, in any order, with any others, whatever was known before, with several threads."""
    text = ClipText(clip, small_tokenizer(), batch=160)
    texts = [
        "red cup",
        "a wooden chair",
        "café",
        "snow",
        "the car on the road",
        "a",
        "fish",
        "dark blue bottle",
        "a",
        "of the cup that is red",
    ]
    prefixes = [tuple(small_tokenizer().encode(start)) for start in ("image of a", "image of the small red")]
    owns = [tuple(small_tokenizer().encode(word)) for word in texts * 12]
    numbers = [k % 2 for k in range(len(owns))]
    whole = _shared(text, prefixes, numbers, owns)
    rng = random.Random(0)
    for count in (1, 3, 20, len(owns)):
        chosen = rng.sample(range(len(owns)), count)
        fresh = ClipText(clip, small_tokenizer(), batch=160)
        for other in (text, fresh):
            found = _shared(other, prefixes, [numbers[k] for k in chosen], [owns[k] for k in chosen])
            assert torch.equal(found, whole[chosen])


# --- the memory of texts ---------------------------------------------------------------------------------------------


def _bytes(text, vectors):
    return vectors * text.width * 4


def test_each_text_is_embedded_once(text, language):
    memory = TextMemory(text, language)
    targets = F.normalize(torch.randn(10, text.width, generator=torch.Generator().manual_seed(0)), dim=-1)
    tokens = torch.arange(1, 41).expand(10, -1)
    contexts = _contexts(language)
    first = memory.scores(contexts * 2, targets)(tokens)
    assert memory.asked == 400 and memory.computed == 200
    again = memory.scores(contexts * 2, targets)(tokens)
    assert memory.computed == 200 and torch.equal(first, again)


@pytest.mark.parametrize("vectors", [0, 5, 30, 45])
def test_a_memory_of_any_size_gives_the_same_cosines(text, language, vectors):
    """Down to one vector, and none: what is forgotten is computed again, to the same bits."""
    targets = F.normalize(torch.randn(10, text.width, generator=torch.Generator().manual_seed(0)), dim=-1)
    contexts = _contexts(language)
    rng = random.Random(vectors)
    memory, large = TextMemory(text, language, limit=_bytes(text, vectors)), TextMemory(text, language)
    for _ in range(3):
        rows = [rng.choice(contexts) for _ in range(10)]
        tokens = torch.stack([torch.randperm(20)[:8] + 1 for _ in rows])
        assert torch.equal(memory.scores(rows, targets)(tokens), large.scores(rows, targets)(tokens))
        kept = memory._places[memory._places >= 0]
        assert len(set(kept.tolist())) == len(kept) and len(kept) + len(memory._free) == vectors
    assert vectors == 0 or memory.computed >= large.computed


def test_names_do_not_depend_on_what_was_named_before(language, text, targets, names):
    namer = ZeroCap(language, text, CONFIG)
    namer.name(torch.randn(4, 48, generator=torch.Generator().manual_seed(9)))
    assert namer.name(targets) == names
    assert ZeroCap(language, text, CONFIG, limit=_bytes(text, 100)).name(targets) == names
    assert ZeroCap(language, text, CONFIG, limit=0).name(targets) == names


def test_a_text_tower_that_is_not_causal():
    with pytest.raises(UsageError, match="causal text tower"):
        ClipText(small.clip(no_causal_mask=True), small_tokenizer())


# --- ZeroCap ---------------------------------------------------------------------------------------------------------

CONFIG = ZeroCapConfig(max_tokens=5, candidates=60, beams=3, end_factor=1.3)


@pytest.fixture(scope="module")
def targets():
    return torch.randn(6, 48, generator=torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def names(language, text, targets):
    return ZeroCap(language, text, CONFIG).name(targets)


def test_batched_names_are_those_of_one_segment_at_a_time(language, text, targets, names):
    one = ZeroCap(language, text, CONFIG)
    assert names == [one.name(target[None])[0] for target in targets]
    assert names == ZeroCap(language, text, CONFIG, rows=7).name(targets)
    assert len(set(names)) >= 4


def test_names_are_those_of_the_plain_loop(clip, targets, names):
    model, tokenizer = small.gpt2()
    assert names == [zerocap(model, tokenizer, clip, small_tokenizer(), target, CONFIG) for target in targets]


@pytest.mark.parametrize(
    "changes",
    [{"steps": 0}, {"clip_weight": 0.0}, {"lm_weight": 2.0}, {"fusion": 0.5}, {"beams": 1, "max_tokens": 3}, {"norm_exponent": 0.0},
     {"start_factor": 4.0, "end_factor": 4.0}, {"forbidden_factor": 1.0}, {"step_size": 1.0}, {"candidates": 5}, {"prompt": "Photo of"}, {"normalise": "joint"}],
    ids=lambda changes: ",".join(f"{k}={v}" for k, v in changes.items()),
)  # fmt: skip
def test_every_constant_does_what_it_does_in_the_plain_loop(clip, language, text, targets, changes):
    config = ZeroCapConfig(**{"max_tokens": 3, "candidates": 24, "beams": 3, "end_factor": 1.3, **changes})
    model, tokenizer = small.gpt2()
    expected = [zerocap(model, tokenizer, clip, small_tokenizer(), target, config) for target in targets[:2]]
    assert ZeroCap(language, text, config).name(targets[:2]) == expected


@pytest.mark.parametrize("wanted", ["red apple", "carpet", "fish", "wooden chair", "snow"])
def test_a_texts_own_embedding_is_named_by_it(language, wanted):
    """With the CLIP of mini, which knows what its words mean."""
    model, tokenizer = clips.load("zgbench-mini", "cpu")
    text = ClipText(model, tokenizer)
    namer = ZeroCap(language, text, preset("mini", None).naming)
    (name,) = namer.name(text.encode([f"Image of a {wanted}."]))
    assert wanted.split()[-1] in name


def test_forbidden_tokens_are_numbers_and_marks(language):
    words = [word for word, bad in zip(language.words, language.forbidden().tolist(), strict=True) if bad]
    assert {"!", "(", ")", ",", ":", "\n", "0"} <= set(words)
    assert all(word in "!(),:\n0" or (word.isdigit() and word[0] != "0") for word in words)


def test_no_names_for_no_segments(language, text):
    assert ZeroCap(language, text, CONFIG).name(torch.zeros(0, 48)) == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (" red cup.", "red cup"),
        (" a\n b \t c . .", "a b c"),
        ("..", ""),
        ("x\u202ey\x00z", "x y z"),
        ("a" * 300, "a" * 200),
    ],
)
def test_clean(text, label):
    assert clean(text, ".") == label


def test_special_tokens_are_never_said(language):
    tokenizer = language.tokenizer
    assert language.unusable[tokenizer.eos_token_id]
    assert not language.unusable[tokenizer.encode(" cup")[0]]


def test_a_model_with_more_rows_than_tokens():
    """Vocabularies are padded in many models; the rows without a token are never chosen."""
    model, tokenizer = small.gpt2()
    model.resize_token_embeddings(len(tokenizer) + 24, mean_resizing=False)
    padded = LanguageModel(model, tokenizer)
    assert len(padded.words) == len(tokenizer) + 24 and padded.unusable[-24:].all()


def test_as_many_rows_as_the_memory_takes(language, text, monkeypatch):
    """By the keys and values of a token, and by its logits: those of GPT-2 medium, and those of a small model."""
    assert ZeroCap(language, text).rows == 1600
    monkeypatch.setattr(language, "past", lambda tokens: torch.zeros(24, 2, 1, 16, tokens.shape[1], 64))
    assert ZeroCap(language, text).rows == 2**26 // (4 * 24 * 2 * 1024) == 341
    monkeypatch.setattr(language, "words", ["word"] * 50257)
    assert naming._rows(language) == 333
    assert ZeroCap(small.language(), text, rows=7).rows == 7
