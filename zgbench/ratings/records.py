"""What the store gives to its callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from zgbench.submission import rle

Question = Literal["T", "T*"]
"""Predicted label (user study, table 2 of the paper) or reassigned label (verification, table 1)."""

CANNOT_TELL: Literal["cannot_tell"] = "cannot_tell"
Answer = int | Literal["cannot_tell"]
Role = Literal["rater", "admin"]
End = Literal["signed_out", "revoked", "expired", "shut_out", "unknown"]
"""Why somebody is not signed in any more."""
Reason = Literal["", "too_soon", "expired", "not_leased", "nothing_to_undo"]


@dataclass(frozen=True)
class Rater:
    """Somebody who signed in.

    Attributes:
        id: opaque; the only thing about a rater that an export holds.
        trained: practice is behind them.
        consented: they agreed to what the study asks first.
        seed: of their own order of items.
    """

    id: str
    name: str
    role: Role
    trained: bool
    consented: bool
    seed: int


@dataclass(frozen=True)
class Item:
    """A segment with a label, as it is shown to one rater. It tells neither the method nor whether it is a control.

    Attributes:
        id: hash of its content, see :func:`zgbench.ratings.content.item_id`.
        ticket: this showing of it; an answer names it, so that no answer counts twice.
        size: (height, width).
        counts: COCO compressed run lengths of the segment.
        label: untrusted text.
        min_seconds: how long it must have been seen before an answer is taken.
        seconds_shown: since it was first shown, by the server's clock.
    """

    id: str
    ticket: str
    dataset: str
    image_id: str
    size: tuple[int, int]
    counts: str
    label: str
    question: Question
    min_seconds: float = 0.0
    seconds_shown: float = 0.0

    def mask(self) -> NDArray[np.bool_]:
        """The segment, bool [h, w]."""
        return rle.mask_of(rle.parse([self.counts.encode("ascii")]).counts, self.size)


@dataclass(frozen=True)
class Outcome:
    """What became of an answer, and what lies before the rater now.

    Attributes:
        accepted: the answer stands (now, or since an earlier sending of the same ticket).
        reason: why not.
        wait_s: ``too_soon``: seconds until an answer is taken.
        repeated: the ticket was answered before; the first answer stands.
        current, ahead: the item to show, and the one after it.
    """

    accepted: bool
    reason: Reason
    wait_s: float
    repeated: bool
    current: Item | None
    ahead: Item | None


@dataclass(frozen=True)
class Progress:
    """How far a rater is.

    Attributes:
        answered: with a score.
        left: items that this rater could still be given, at most.
        seconds_left: for these, at this rater's median; None before three answers.
        unbroken_s: since the last pause of five minutes.
    """

    answered: int
    cannot_tell: int
    skipped: int
    left: int
    seconds_left: float | None
    can_undo: bool
    unbroken_s: float


@dataclass(frozen=True)
class TrainingItem:
    """An item with its answer explained.

    Attributes:
        known: the right score, 0–3.
        why: what explains it, see :func:`zgbench.ratings.known.reason`.
        answer: the rater's last score, None before there is one.
    """

    item: Item
    known: int
    why: str
    answer: int | None


@dataclass(frozen=True)
class Practice:
    """A round of practice as a rater stands in it.

    Attributes:
        round: from 0.
        needed: how many must be right before it lets go.
    """

    items: tuple[TrainingItem, ...]
    round: int
    needed: int

    @property
    def right(self) -> int:
        """Answers that are ours."""
        return sum(item.answer == item.known for item in self.items)

    @property
    def passed(self) -> bool:
        """Whether all are answered, and enough of them rightly."""
        return all(item.answer is not None for item in self.items) and self.right >= self.needed


@dataclass(frozen=True)
class TokenInfo:
    """An invitation, without its secret.

    Attributes:
        id: the first 8 hexadecimal digits of its hash.
        created, expires, revoked: seconds since 1970, UTC.
        places: raters that an open invitation may make; None: it is one person's.
        made: raters that it made.
    """

    id: str
    rater: str
    name: str
    role: Role
    created: float
    expires: float | None
    revoked: float | None
    places: int | None = None
    made: int = 0
