"""LT in an evaluation: rows by level, what is stored and read again, what labels that say nothing get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import zgbench
from tests.conftest import SHARED
from tests.submission.sample import write
from tests.test_evaluate import RIGHT, NoModel, named, run
from zgbench.cli import main
from zgbench.datasets.vocabulary import pas20
from zgbench.scores.lexical import NO_CLASS, Lexical
from zgbench.scores.result import load_result
from zgbench.scores.verification import WITH_TEXT, default_level, shown_by_default, verified

LEVELS = ["level<=0", "level<=1", "level<=2", "level<=3", "level<=4"]


def test_rows_by_level_are_nested_and_hold_the_name_the_kind_and_nothing(tiny_voc: Path, tmp_path: Path) -> None:
    # aeroplane: a name; airliner: a kind of one; thing: generic; bicycle: a name
    submission = write(named("aeroplane", "airliner", "thing", "bicycle"), tmp_path / "s.json")
    found = run(submission, tiny_voc, reassign=["lt"], text_encoder=NoModel())
    assert [row["verify"] for row in found.scores] == LEVELS
    assert [row["segments_kept"] for row in found.scores] == [2, 2, 3, 3, 3]
    assert found.result["labels"] == {"distinct": 4, "generic": 1, "hedged": 0, "no_class": 1, "vague": 0.25}
    decision = found.reassigned[0].decision
    assert decision.level is not None
    assert decision.class_id.tolist() == [1, 1, 0, 2] and decision.level.tolist() == [0, 2, NO_CLASS, 0]
    assert found.unavailable == {f"LT {WITH_TEXT}": "CLIP cannot be had; try --reassign tt"}


def test_the_nearest_text_stands_behind_the_lexicon_in_a_row_and_a_signature_of_its_own(
    tiny_voc: Path, tmp_path: Path
) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, reassign=["lt"])
    rows = {row["verify"]: row["signature"] for row in found.scores}
    assert list(rows) == [*LEVELS, WITH_TEXT]
    assert "text=own:hashed-text>=" in rows[WITH_TEXT] and "text=" not in rows["level<=3"]
    assert rows["level<=0"].replace("level<=0", "level<=3") == rows["level<=3"]
    assert "encoder:wordnet-3.1@" in rows["level<=3"] and "rules=" in rows["level<=3"]


def test_what_is_stored_gives_the_same_rows_again(tiny_voc: Path, tmp_path: Path) -> None:
    submission = write(named("aeroplane", "airliner", "thing", "bicycle"), tmp_path / "s.json")
    found = run(submission, tiny_voc, reassign=["tt", "lt"], out=tmp_path)
    stored = load_result(next(tmp_path.glob("*.result.json")))
    again = {
        (r.reassigned.how, r.verify): r
        for one in stored.reassigned
        for r in verified(stored.counts, one, stored.protocol)
    }
    assert list(again) == [(row["reassign"], row["verify"]) for row in found.scores]
    for row in found.scores:
        assert again[row["reassign"], row["verify"]].kept(stored.counts) == row["segments_kept"]


def test_tt_is_the_same_with_lt_beside_it(tiny_voc: Path, tmp_path: Path) -> None:
    submission = write(named(*RIGHT), tmp_path / "s.json")
    alone = run(submission, tiny_voc, reassign=["tt"]).scores
    beside = [row for row in run(submission, tiny_voc, reassign=["tt", "lt"]).scores if row["reassign"] == "TT"]
    assert alone == beside


def test_lt_is_never_scored_in_the_place_of_what_cannot_be_had(tiny_voc: Path, tmp_path: Path) -> None:
    submission = write(named(*RIGHT), tmp_path / "s.json")
    with pytest.raises(zgbench.ModelUnavailable, match="--reassign lt"):
        run(submission, tiny_voc, text_encoder=NoModel())


def test_the_released_code_knows_no_lexicon(tiny_voc: Path, tmp_path: Path) -> None:
    found = run(write(named(*RIGHT), tmp_path / "s.json"), tiny_voc, protocol="iccv2023")
    assert {row["reassign"] for row in found.scores} == {"TT"}


@pytest.mark.parametrize(
    ("labels", "reason"),
    [(("thing", "object", "scene", "entity", "stuff"), "generic"), (("dog cat person car", "a dog, a cat and a car"), "hedged")],
)  # fmt: skip
def test_labels_that_say_nothing_or_everything_have_no_class(labels: tuple[str, ...], reason: str) -> None:
    found = Lexical(pas20()).mapper.decide(labels)
    assert all(d.class_id is None for d in found), found
    assert {d.reason for d in found} <= {reason, "not visible", "no noun"}


def test_a_decision_depends_on_the_label_alone() -> None:
    lexical = Lexical(pas20())
    labels = ("kitten", "coach", "thing", "man", "table", "sofa")
    whole, _ = lexical.of_segments(labels)
    for k in range(len(labels)):
        one, _ = lexical.of_segments(labels[k : k + 1])
        assert one.class_id[0] == whole.class_id[k]
    backwards, _ = lexical.of_segments(labels[::-1])
    assert np.array_equal(backwards.class_id[::-1], whole.class_id)


def test_of_the_nested_rows_one_is_shown() -> None:
    assert default_level([*LEVELS, WITH_TEXT]) == WITH_TEXT and default_level(LEVELS) == "level<=4"
    assert [v for v in [*LEVELS, WITH_TEXT, "h>=1"] if shown_by_default("LT", v, [*LEVELS, WITH_TEXT])] == [
        WITH_TEXT,
        "h>=1",
    ]
    assert shown_by_default("TT", "cos>=0.5", ["cos>=0.5"])


@pytest.mark.slow
def test_on_a_terminal(tiny_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submission = write(named("aeroplane", "airliner", "thing", "bicycle"), tmp_path / "s.json")
    options = ["--data", str(tiny_voc), "--partial", "--workers", "1", "--protocol", "offline", "--out", str(tmp_path)]
    assert main(["evaluate", str(submission), *options, "--reassign", "lt"]) == 0
    told = capsys.readouterr().out
    assert WITH_TEXT in told and "level<=0" not in told and "5 more rows, by level" in told
    assert "25.0 % of 4 distinct labels say nothing or everything" in told
    assert main(["evaluate", str(submission), *options, "--reassign", "lt", "--format", "latex"]) == 0
    assert r"$\mathrm{level} \leq 4$ or text" in capsys.readouterr().out


WORDS = {
    "aeroplane": "jet", "bicycle": "bike", "bird": "sparrow", "boat": "sailing boat", "bottle": "wine bottle", "bus": "coach",
    "car": "hatchback", "cat": "kitten", "chair": "armchair", "cow": "calf", "diningtable": "table", "dog": "puppy",
    "horse": "pony", "motorbike": "motorcycle", "person": "man", "pottedplant": "plant", "sheep": "lamb", "sofa": "couch",
    "train": "locomotive", "tvmonitor": "computer monitor",
}  # fmt: skip
"""An everyday word for each class, as methods say them."""


def test_perfect_masks_with_everyday_words_on_real_images(tmp_path: Path) -> None:
    """The truth's own masks of 300 real images; TT gives 76.9 % mIoU image here (all-MiniLM-L6-v2)."""
    if not SHARED.is_dir():
        pytest.skip("needs the real images of ../shared/data, which are not there")
    dataset = zgbench.open_dataset("pas20", SHARED)
    with zgbench.SubmissionWriter(tmp_path / "words.parquet", name="words", dataset="pas20") as writer:
        for image_id in dataset.ids:
            classes = dataset.source.truth(image_id).classes()
            present = [c for c in np.unique(classes).tolist() if c > 0]
            writer.add(
                image_id,
                np.stack([classes == c for c in present]),
                labels=[WORDS[dataset.vocabulary.name(c)] for c in present],
            )
    found = zgbench.evaluate(tmp_path / "words.parquet", data=SHARED, reassign=["lt"], protocol="offline", partial=True)
    values = {row["verify"]: row["iou_image"]["value"] for row in found.scores}
    assert values["level<=3"] is not None and values["level<=3"] >= 0.97
    assert values[WITH_TEXT] is not None and values[WITH_TEXT] >= 0.97
