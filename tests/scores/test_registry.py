"""The registry of scores: what it holds, and how ``--scores`` chooses from it."""

from __future__ import annotations

import json

import pytest

from tests.end_to_end.command import here
from zgbench.errors import UsageError
from zgbench.scores.registry import DEFAULT, ROW, SCORES, chosen_scores

OF_BEFORE = {
    "iou_image": "mIoU image", "iou_dataset": "mIoU dataset", "recall.0.25": "Recall .25", "recall.0.5": "Recall .5",
    "recall.0.75": "Recall .75", "recall.auc": "Recall area", "tgq": "TGQ",
}  # fmt: skip


def test_the_scores_of_before_come_first() -> None:
    assert [(name, SCORES[name].title) for name in list(SCORES)[: len(OF_BEFORE)]] == list(OF_BEFORE.items())
    assert tuple(OF_BEFORE) == DEFAULT
    assert (*ROW, "tgq") == DEFAULT


def test_every_score_says_what_it_is() -> None:
    assert len({score.title for score in SCORES.values()}) == len(SCORES)
    for name, score in SCORES.items():
        assert name == score.name
        assert all((score.definition, score.source, score.when_empty, score.needs)), name
        assert not score.definition.endswith("."), name
        assert score.low in (-1, 0)
        assert score.high == 1


def test_what_is_chosen_comes_in_the_registrys_order() -> None:
    assert chosen_scores(None) == chosen_scores("default") == DEFAULT
    assert chosen_scores("all") == tuple(SCORES)
    assert chosen_scores("recall.0.5, iou_image") == ("iou_image", "recall.0.5")
    assert chosen_scores(["default", "tgq"]) == DEFAULT
    with pytest.raises(UsageError, match="no such score"):
        chosen_scores("iou")
    with pytest.raises(UsageError, match="expected all, default"):
        chosen_scores(())


def test_the_command_tells_all() -> None:
    told = json.loads(here("scores", "list", "--json")[0])
    assert [one["name"] for one in told] == list(SCORES)
    text = here("scores", "list")[0]
    for score in SCORES.values():
        assert f"{score.name}  {score.title}" in text
