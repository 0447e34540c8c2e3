"""A protocol is everything that moves a score, as data; it prints to a signature.

Presets are changed only together with ``VERSION``, or with the version of the one definition that moved (``SIGNED``), so
that one signature means one number for ever. The grammar of signatures: docs/signature.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from zgbench.errors import UsageError

VERSION = 1

Background = Literal["count", "ignore", "released"]
Pixels = Literal["count", "ignore", "released", "all"]
"""A background rule as it works out on a data set; ``all``: unlabelled and void pixels count."""
Scoring = Literal["v1", "iccv2023"]
SegmentEmbeddings = Literal["zgbench", "submitted"]
HumanAggregate = Literal["median", "mean", "min", "majority"]
SegmentMode = Literal["crop", "masked", "globsub"]
Saliency = Literal["outputs", "probabilities"]
Reassignment = Literal["TT", "ST", "LT", "MAP"]

SIGNED: dict[Scoring, str] = {"v1": "v1", "iccv2023": "iccv2023.2"}
"""How the definitions of the scores stand in a signature. ``iccv2023`` alone was another until 2: TGQ over the whole set,
void pixels of PC-459 left out, τ_IoU as exact fractions."""
MOST_RESAMPLES = 1_000_000


class _Presets(dict[str, "Protocol"]):
    def __missing__(self, name: str) -> Protocol:
        raise UsageError(f"there is no protocol {name!r}. Known: {', '.join(self)}.")


PRESETS = _Presets()


@dataclass(frozen=True)
class Protocol:
    """How labels are reassigned, verified and scored.

    Attributes:
        name: preset that this is; of a changed one, the preset with what was changed (``v1+background=ignore``).
        text_model: Sentence-BERT for TT and TGQ, one of ``zgbench.encoders.text.MODELS``, or the path of a folder.
        text_prompt: template around names and labels for TT, with one ``{}``.
        clip_model: CLIP for ST, a key of ``zgbench.encoders.clip.MODELS``, or the path of a folder.
        clip_prompt: template around class names for ST, with one ``{}``.
        segment_embeddings: made by zgbench from the photo, or those that came with the submission.
        segment_mode, saliency, sigma, first_masked_layer: how zgbench embeds a segment, see
            :class:`zgbench.encoders.segment.SegmentEncoderConfig`.
        tau_text, tau_clip: cosines from which a TT / ST reassignment is kept.
        scoring: ``v1`` (zgbench's definitions) or ``iccv2023`` (the released code's, in exact steps; but an image
            without segments scores 0, where the released code skips it).
        background: what unlabelled pixels under a kept prediction do: ``count`` against it, are ``ignore``d, or are
            left out for classes that the image's truth lacks (``released``: on VOC; on PASCAL Context the released
            code leaves nothing out, neither unlabelled nor void pixels).
        human: how an item's ratings become one.
        seed, resamples: of the bootstrap intervals.

    Raises:
        UsageError: a value is impossible.
    """

    name: str = "v1"
    text_model: str = "all-mpnet-base-v2"
    text_prompt: str = "{}"
    clip_model: str = "ViT-L-14-336-quickgelu/openai"
    clip_prompt: str = "Image of a {}."
    segment_embeddings: SegmentEmbeddings = "zgbench"
    segment_mode: SegmentMode = "globsub"
    saliency: Saliency = "outputs"
    sigma: float = 2.5**0.5
    first_masked_layer: int = -4
    tau_text: float = 0.5
    tau_clip: float = 0.1
    scoring: Scoring = "v1"
    background: Background = "count"
    human: HumanAggregate = "median"
    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        for option, allowed in _CHOICES.items():
            value = getattr(self, option)
            if value not in allowed:
                raise UsageError(f"{_shown(option)} {value}: expected one of {', '.join(allowed)}.")
        for option in ("tau_text", "tau_clip"):
            value = getattr(self, option)
            if not _is_number(value) or not -1 <= value <= 1:
                raise UsageError(f"{_shown(option)} {value}: expected a cosine, −1 to 1.")
        for option, low, high in (("seed", 0, 2**32 - 1), ("resamples", 1, MOST_RESAMPLES)):
            value = getattr(self, option)
            if type(value) is not int or not low <= value <= high:
                raise UsageError(f"{_shown(option)} {value}: expected a whole number, {low} to {high}.")
        if type(self.first_masked_layer) is not int:
            raise UsageError(f"first_masked_layer {self.first_masked_layer}: expected a whole number.")
        if not _is_number(self.sigma) or not 0 < self.sigma < math.inf:
            raise UsageError(f"sigma {self.sigma}: expected a number above 0.")
        for option in ("text_prompt", "clip_prompt"):
            _check_prompt(option, getattr(self, option))
        object.__setattr__(self, "name", _named(self))

    def tau(self, reassign: Reassignment) -> float:
        """Cosine from which a reassignment is kept."""
        return self.tau_text if reassign == "TT" else self.tau_clip


_CHOICES: dict[str, tuple[str, ...]] = {
    "scoring": get_args(Scoring),
    "background": get_args(Background),
    "human": get_args(HumanAggregate),
    "segment_embeddings": get_args(SegmentEmbeddings),
    "segment_mode": get_args(SegmentMode),
    "saliency": get_args(Saliency),
}
OPTIONS = ("background", "human", "seed", "scoring", "tau_text", "tau_clip", "resamples")
"""Fields that the command line can change."""


def _shown(field: str) -> str:
    """A field as its user knows it: an option of the command line, where there is one."""
    return f"--{field.replace('_', '-')}" if field in OPTIONS else field


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_prompt(field: str, prompt: str) -> None:
    try:
        told = prompt.format("\x00", "\x01")
    except (AttributeError, IndexError, KeyError, ValueError) as error:
        raise UsageError(f"{field} {prompt!r}: expected text with one {{}}, where the name goes.") from error
    if told.count("\x00") != 1 or "\x01" in told or not prompt.isprintable():
        raise UsageError(f"{field} {prompt!r}: expected text with one {{}}, where the name goes.")


def _named(protocol: Protocol) -> str:
    """The preset's name if it is the preset, else with what was changed: no other protocol carries a preset's name."""
    base = protocol.name.partition("+")[0]
    if base not in PRESETS:
        return protocol.name
    pairs = [(f.name, getattr(protocol, f.name)) for f in fields(protocol) if f.name != "name"]
    changed = [f"{key}={value}" for key, value in pairs if value != getattr(PRESETS[base], key)]
    return f"{base}+{','.join(changed)}" if changed else base


PRESETS |= {
    "v1": Protocol(),
    "iccv2023": Protocol(name="iccv2023", scoring="iccv2023", background="released", segment_embeddings="submitted"),
    "offline": Protocol(name="offline", text_model="all-MiniLM-L6-v2"),
    # its small CLIP masks all of its layers; σ was chosen on training scenes
    "mini": Protocol(
        name="mini", text_model="all-MiniLM-L6-v2", clip_model="zgbench-mini", sigma=0.7, first_masked_layer=0
    ),
}


def preset(name: str | None, dataset: str, **changes: Any) -> Protocol:
    """A preset by name, with some of its values changed.

    Args:
        name: key of ``PRESETS``; None gives ``mini`` on the data set mini and ``v1`` on every other.
        dataset: key of the data set.
        changes: fields of Protocol; None values are left as they are.

    Raises:
        UsageError: no such preset, or one that does not fit the data set.
    """
    chosen = name or ("mini" if dataset == "mini" else "v1")
    if chosen not in PRESETS:
        raise UsageError(f"--protocol {chosen}: there is no such preset. Known: {', '.join(PRESETS)}.")
    if chosen == "mini" and dataset != "mini":
        raise UsageError(
            f"--protocol mini: its small CLIP knows the data set mini only, not {dataset}. Use v1, iccv2023 or offline."
        )
    return replace(PRESETS[chosen], **{key: value for key, value in changes.items() if value is not None})


def chosen(protocol: str | Protocol | None, dataset: str, changes: dict[str, Any]) -> Protocol:
    """A preset, or a protocol of one's own, with some of its values changed; None values are left as they are.

    Raises:
        UsageError: see :func:`preset` and :class:`Protocol`.
    """
    given = {key: value for key, value in changes.items() if value is not None}
    return replace(protocol, **given) if isinstance(protocol, Protocol) else preset(protocol, dataset, **given)


def sign(protocol: Protocol, facts: dict[str, str], *, unlabelled: bool = True) -> str:
    """The signature of one row of scores: ``key:value`` pairs joined by ``|``.

    Args:
        facts: what is not in the protocol: data set, split, images, ids, truth, track, reassign, encoder, verify.
        unlabelled: whether the data set has pixels that a background rule can be about, see
            :class:`zgbench.datasets.catalogue.Spec`.
    """
    pairs = dict(facts)
    if unlabelled:
        pairs["bg"] = protocol.background
    elif protocol.background == "released":
        pairs["bg"] = "released+void"
    pairs["scoring"] = SIGNED[protocol.scoring]
    pairs["boot"] = f"{protocol.resamples}s{protocol.seed}"
    pairs["zgbench"] = str(VERSION)
    return "|".join(f"{key}:{value.replace('|', '/')}" for key, value in pairs.items())


def facts_of(signature: str) -> dict[str, str]:
    """The pairs of a signature; what is no pair is left out."""
    return dict(pair.split(":", 1) for pair in signature.split("|") if ":" in pair)


def meaning(signature: str) -> str:
    """The same for two signatures that mean the same number, though an older zgbench wrote one of them.

    PC-459 has no unlabelled pixels that are not void; until the word was left out, ``bg:count`` and ``bg:ignore`` stood
    there and did nothing.
    """
    facts = facts_of(signature)
    if facts.get("data") == "pc459" and facts.get("scoring") == "v1" and facts.get("bg") in ("count", "ignore"):
        del facts["bg"]
        return "|".join(f"{key}:{value}" for key, value in facts.items())
    return signature


def outdated(signature: str) -> str | None:
    """Why the numbers of this signature cannot be worked out or compared any more; None where they can."""
    facts = facts_of(signature)
    if facts.get("zgbench") != str(VERSION):
        return f"it is of version {facts.get('zgbench', '?')} of the protocol, this zgbench has {VERSION}"
    if facts.get("scoring") not in SIGNED.values():
        return (
            f"it was scored by the definitions {facts.get('scoring', '?')}, "
            f"of which this zgbench has {' and '.join(SIGNED.values())} (docs/iccv2023.md). Evaluate it again"
        )
    if facts.get("data") == "pc459" and facts.get("bg") == "released":
        return "its statistics hold no void pixels, which bg released counts on pc459. Evaluate it again"
    return None
