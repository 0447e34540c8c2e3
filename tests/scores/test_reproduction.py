"""From a signature back to the command: what it prints, run, gives the signature again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import zgbench
from tests.conftest import HashedText
from tests.end_to_end.command import here
from tests.scores.test_human_scores import ALL, rated
from tests.submission.sample import oracle, write
from tests.test_evaluate import RIGHT, Clip, named, run
from zgbench.cli.parser import build_parser
from zgbench.scores.reproduction import reproduce


class Named(HashedText):
    """Stands in for Sentence-BERT, under its name."""

    weights = "hash of its weights"

    def __init__(self, name: str) -> None:
        self.name = name


class NamedClip(Clip):
    """Stands in for CLIP, under its name."""


TEXT = Named("all-mpnet-base-v2@e8c3b32e")
PICTURES = NamedClip("ViT-L-14-336-quickgelu/openai@abcd")
PICTURES.weights = "hash of the weights of these pictures"


def again(command: str, submission: Path, data: Path, table: Path | None = None) -> zgbench.Evaluation:
    """What a printed command does, with the stand-ins for the models."""
    words = shlex.split(command)
    if words[0] == "python":
        code = words[2].replace('"SUBMISSION"', repr(str(submission))).replace('"DIR"', repr(str(data)))
        evaluate = code.removeprefix("import zgbench; print(").removesuffix(".scores)")
        evaluate = evaluate.removesuffix(")") + ", text_encoder=TEXT, clip=PICTURES)"
        found = eval(evaluate, {"zgbench": zgbench, "TEXT": TEXT, "PICTURES": PICTURES})
        assert isinstance(found, zgbench.Evaluation)
        return found
    options = vars(build_parser().parse_args(words[1:]))
    kept = {
        key: options[key]
        for key in (
            "protocol", "partial", "subset", "background", "human", "seed", "scoring", "tau_text", "tau_clip", "resamples",
        )
    }  # fmt: skip
    return zgbench.evaluate(
        submission, data=data, reassign=options["reassign"].split(","), ratings=table if options["ratings"] else None,
        text_encoder=TEXT, clip=PICTURES, **kept,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "command"),
    [
        ({}, "--data DIR --protocol v1 --reassign tt,lt,st --partial"),
        ({"reassign": ["tt", "st"]}, "--reassign tt,st --partial"),
        ({"reassign": ["lt"], "tau_text": 0.5}, "--reassign lt"),
        ({"background": "ignore"}, "--background ignore"),
        ({"seed": 7, "resamples": 20, "tau_text": 0.25}, "--tau-text 0.25 --seed 7 --resamples 20"),
        ({"scoring": "iccv2023"}, "--scoring iccv2023"),
        ({"protocol": "iccv2023", "reassign": ["tt"]}, "--protocol iccv2023 --reassign tt"),
        ({"protocol": "iccv2023", "reassign": ["tt"], "background": "count"}, "--background count"),
        ({"subset": "random:2:7", "reassign": ["st"]}, "--reassign st --subset random:2:7"),
        ({"protocol": zgbench.Protocol(text_prompt='a "{}", it\'s'), "reassign": ["tt"]}, "python -c"),
        ({"protocol": zgbench.Protocol(sigma=0.7, segment_mode="globsub"), "reassign": ["st"]}, "sigma=0.7"),
        ({"protocol": zgbench.Protocol(segment_mode="crop", tau_clip=0.3), "reassign": ["st"]}, 'segment_mode="crop"'),
        ({"protocol": zgbench.Protocol(segment_mode="masked", first_masked_layer=0), "reassign": ["st"]}, "masked"),
    ],
    ids=str,
)  # fmt: skip
def test_round_trip(change: dict[str, Any], command: str, tiny_voc: Path, tmp_path: Path) -> None:
    path = write(named(*RIGHT), tmp_path / "s.json")
    options: dict[str, Any] = {"protocol": "v1", "text_encoder": TEXT, "clip": PICTURES, **change}
    found = run(path, tiny_voc, out=tmp_path / "out", **options)
    assert found.path is not None
    by_result = reproduce(str(found.path))
    assert command in by_result.command
    assert found.result["submission"]["sha256"] in by_result.needs["SUBMISSION"]
    assert "VOCtrainval_11-May-2012.tar" in by_result.needs["DIR"]
    assert again(by_result.command, path, tiny_voc).scores == found.scores
    for row in found.scores:
        by_row = again(reproduce(row["signature"]).command, path, tiny_voc).scores
        assert [r for r in by_row if r["signature"] == row["signature"]] == [row]


def test_rows_by_people_and_text_generation_quality(tiny_voc: Path, tmp_path: Path) -> None:
    path, table = write(named(*RIGHT), tmp_path / "s.json"), rated(tmp_path / "r.csv", ALL)
    found = run(path, tiny_voc, protocol="v1", human="min", ratings=table, text_encoder=TEXT, out=tmp_path / "out")
    told = reproduce(str(found.path))
    assert "--human min" in told.command and "--ratings RATINGS" in told.command
    assert found.result["ratings"]["sha256"] in told.needs["RATINGS"]
    assert again(told.command, path, tiny_voc, table).scores == found.scores
    assert "--human min" in reproduce(found.scores[1]["signature"]).command

    quality = run(write(oracle(), tmp_path / "o.json"), tiny_voc, protocol="iccv2023", text_encoder=TEXT).tgq
    assert quality is not None
    assert "--protocol iccv2023 --reassign tt" in reproduce(quality["signature"]).command


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("nowhere.result.json", "neither a signature"),
        ("data:pas20|split:val", "lacks n, ids"),
        ("data:x|split:val|n:1|ids:a|encoder:m,prompt={}|verify:cos>=0.5|scoring:v1|boot:1s0|zgbench:1", "data set is 'x'"),
        ("data:pas20|split:val|n:1|ids:a|encoder:m,prompt={}|verify:cos>=0.5|bg:released|scoring:iccv2023|boot:1s0|zgbench:1", "out of date"),
        ("data:pas20|split:val|n:1|ids:a|encoder:m|verify:cos>=0.5|bg:count|scoring:v1|boot:1s0|zgbench:1", "expected MODEL"),
        ("data:pas20|split:val|n:1|ids:a|encoder:m,prompt={}|verify:cos>=x|bg:count|scoring:v1|boot:1s0|zgbench:1", "not a signature: could not convert"),
        ("data:pas20|split:val|n:1|ids:a|encoder:m,prompt={}|verify:cos>=0.5|bg:count|scoring:v1|boot:many|zgbench:1", "not a signature: invalid literal"),
        ("data:pas20|split:val[x]|n:1|ids:a|encoder:m,prompt={}|verify:cos>=0.5|bg:count|scoring:v1|boot:1s0|zgbench:1", "not a signature"),
        ("data:pas20|split:val|n:1|ids:a|encoder:m,prompt={}|verify:cos>=0.5|bg:foo|scoring:v1|boot:1s0|zgbench:1", "--background foo"),
    ],
)  # fmt: skip
def test_what_cannot_be_reproduced_says_why(what: str, message: str, tmp_path: Path) -> None:
    out, err = here("reproduce", what, status=2, cwd=tmp_path)
    assert not out
    assert message in err


def test_what_is_no_result_file(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", json.dumps({"scores": [{}], "tgq": None}), json.dumps({"scores": [], "tgq": None})):
        (tmp_path / "a.json").write_text(content)
        assert "not a readable result file" in here("reproduce", tmp_path / "a.json", status=2)[1]


def test_the_board_s_own_results(tmp_path: Path) -> None:
    board = Path(__file__).resolve().parents[2] / "leaderboard/results"
    for path in sorted(board.glob("*.result.json")):
        out, err = here("reproduce", path)
        command = out.splitlines()[0]
        build_parser().parse_args(shlex.split(command)[1:])
        if ".mini." in path.name:
            assert command.startswith("zgbench evaluate SUBMISSION --protocol mini --reassign tt,")
        else:
            assert command.startswith("zgbench evaluate SUBMISSION --data DIR --protocol")
        assert not err


def test_an_encoder_of_ones_own_and_a_table_are_told(tiny_voc: Path, tmp_path: Path) -> None:
    path, given = write(named(*RIGHT), tmp_path / "s.json"), tmp_path / "judge.csv"
    given.write_text("label,class\naeroplane,aeroplane\n")
    text = HashedText()
    text.weights = None  # type: ignore[assignment]  # it is no more than a name
    own = run(path, tiny_voc, reassign=["tt"], text_encoder=text).scores[0]["signature"]
    assert "encoder:own:hashed-text" in own
    assert (
        reproduce(own).notes[-1]
        == "An encoder of one's own decided, 'hashed-text': give it as text_encoder= or clip= in Python."
    )
    table = run(path, tiny_voc, mapping=given).scores[0]["signature"]
    told = reproduce(table)
    assert "--mapping MAPPING.csv" in told.command and "judge@" in told.needs["MAPPING.csv"]
