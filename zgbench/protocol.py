"""A protocol is everything that moves a score, as data; it prints to a signature.

Presets are changed only together with ``VERSION``, so that one signature means one number for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from zgbench.errors import UsageError

VERSION = 1

Background = Literal["count", "ignore", "released"]
Scoring = Literal["v1", "iccv2023"]
SegmentEmbeddings = Literal["zgbench", "submitted"]
HumanAggregate = Literal["median", "mean", "min", "majority"]
Reassignment = Literal["TT", "ST"]


@dataclass(frozen=True)
class Protocol:
    """How labels are reassigned, verified and scored.

    Attributes:
        name: preset that this is, or was made from.
        text_model: Sentence-BERT for TT and TGQ, one of ``zgbench.encoders.text.MODELS``, or the path of a folder.
        text_prompt: template around names and labels for TT.
        clip_model: CLIP for ST, a key of ``zgbench.encoders.clip.MODELS``, or the path of a folder.
        clip_prompt: template around class names for ST.
        segment_embeddings: made by zgbench from the photo, or those that came with the submission.
        segment_mode, saliency, sigma, first_masked_layer: how zgbench embeds a segment, see
            :class:`zgbench.encoders.segment.SegmentEncoderConfig`.
        tau_text, tau_clip: cosines from which a TT / ST reassignment is kept.
        scoring: ``v1`` (zgbench's definitions) or ``iccv2023`` (the released code's, in exact steps).
        background: what unlabelled pixels under a kept prediction do: ``count`` against it, are ``ignore``d, or are
            left out for classes that the image's truth lacks (``released``).
        human: how an item's ratings become one.
        seed, resamples: of the bootstrap intervals.
    """

    name: str = "v1"
    text_model: str = "all-mpnet-base-v2"
    text_prompt: str = "{}"
    clip_model: str = "ViT-L-14-336-quickgelu/openai"
    clip_prompt: str = "Image of a {}."
    segment_embeddings: SegmentEmbeddings = "zgbench"
    segment_mode: Literal["crop", "masked", "globsub"] = "globsub"
    saliency: Literal["outputs", "probabilities"] = "outputs"
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
        for option, value, allowed in (
            ("background", self.background, get_args(Background)),
            ("human", self.human, get_args(HumanAggregate)),
        ):
            if value not in allowed:
                raise UsageError(f"--{option} {value}: expected one of {', '.join(allowed)}.")
        for option, number in (("tau-text", self.tau_text), ("tau-clip", self.tau_clip)):
            if not -1 <= number <= 1:
                raise UsageError(f"--{option} {number}: expected a cosine, −1 to 1.")
        if self.seed < 0:
            raise UsageError(f"--seed {self.seed}: expected a whole number ≥ 0.")

    def tau(self, reassign: Reassignment) -> float:
        """Cosine from which a reassignment is kept."""
        return self.tau_text if reassign == "TT" else self.tau_clip


PRESETS: dict[str, Protocol] = {
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


def sign(protocol: Protocol, facts: dict[str, str]) -> str:
    """The signature of one row of scores: ``key:value`` pairs joined by ``|``.

    Args:
        facts: what is not in the protocol: data set, split, images, ids, truth, track, reassign, encoder, verify.
    """
    pairs = dict(facts)
    pairs["bg"] = protocol.background
    pairs["scoring"] = protocol.scoring
    pairs["boot"] = f"{protocol.resamples}s{protocol.seed}"
    pairs["zgbench"] = str(VERSION)
    return "|".join(f"{key}:{value.replace('|', '/')}" for key, value in pairs.items())
