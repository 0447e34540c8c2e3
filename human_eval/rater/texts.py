"""Words of the page, and the examples of its instructions."""

from __future__ import annotations

SCORES = ("Incorrect", "Partially correct", "Too general or too specific", "Correct")
"""What 0, 1, 2 and 3 mean, on the buttons."""

EXAMPLE = ("mini", "val_0145", "car")
"""Data set, image and class of the segment in the instructions."""

EXAMPLES = (
    ("the words name something else.", "umbrella"),
    ("a part of the words fits, or they fit only a part of the segment.", "blue car"),
    ("right, yet people would say more, or cannot see so much.", "vehicle, or a model and its year"),
    ("people would call it that.", "car"),
)
"""For each score what it means, and a label of the segment of ``EXAMPLE`` that deserves it."""

RULES = (
    "Rate the marked segment only, not the rest of the photo.",
    "Spelling, singular or plural and a missing article do not matter.",
    "The outline need not be exact: rate what most of the segment shows.",
    "Some segments have answers that we know; they tell us how careful a rating is.",
)

SKIP = (
    ("b", "The picture does not load"),
    ("n", "I cannot see the segment"),
    ("w", "I do not know these words"),
    ("p", "I would rather not see this picture"),
    ("x", "Another reason"),
)
"""Keys and reasons for skipping."""

VIEWS = (("outline", "Outline", "o"), ("dimmed", "Dimmed", "d"), ("zoom", "Enlarge", "e"))
"""View, name and key."""

BREAK_S = 20 * 60
"""After so much rating without a pause, a break is suggested."""
