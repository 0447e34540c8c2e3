"""From a signature, or a result, back to the command that gives the same numbers, and what it needs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from zgbench.datasets import KEYS, known_ids
from zgbench.datasets.catalogue import SPECS
from zgbench.errors import InputError, UsageError
from zgbench.protocol import OPTIONS, PRESETS, SIGNED, Protocol, facts_of, outdated
from zgbench.scores.by_label import SCOPES
from zgbench.scores.registry import DEFAULT, SCORES, held

_ENCODER = re.compile(r"(?P<model>.*?),prompt=(?P<prompt>.*?)(,segments=(?P<recipe>[^{}]*))?", re.DOTALL)
_LEXICON = re.compile(r"[^,]+@[0-9a-f]{8},rules=\d+,classes=[0-9a-f]{8}(,text=(?P<text>.*)>=[0-9.]+)?", re.DOTALL)
_OWN = "own:"
_MOST = 64 << 20
_GRAMMAR = "Its grammar: docs/signature.md."


@dataclass(frozen=True)
class Reproduction:
    """How to get numbers again.

    Attributes:
        command: of the command line; of Python, where an option is needed that the command line does not have.
        needs: what must be at hand → which.
        notes: what cannot be told for sure, a sentence each.
    """

    command: str
    needs: dict[str, str]
    notes: tuple[str, ...]


def reproduce(what: str) -> Reproduction:
    """The command for a signature, or for all rows of a result file.

    Raises:
        UsageError: neither a signature nor a file, or one whose numbers this zgbench cannot give any more.
        InputError: the file is not a result.
    """
    if "|" in what and ":" in what:
        try:
            return _of([what], None)
        except (ValueError, LookupError) as error:
            raise UsageError(f"this is not a signature: {ascii(str(error))[1:-1]}. {_GRAMMAR}") from error
    path = Path(what)
    if not path.is_file():
        raise UsageError(f"{what}: neither a signature (data:…|split:…|…) nor a result file.")
    try:
        if path.stat().st_size > _MOST:
            raise ValueError("too large")
        result = json.loads(path.read_text(encoding="utf-8"))
        rows = [*result["scores"], *([result["tgq"]] if result["tgq"] is not None else [])]
        rows += result.get("by_label", {}).values()
        return _of([row["signature"] for row in rows], result)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{what}: not a readable result file ({ascii(str(error)[:120])[1:-1]}).") from error


def _of(signatures: Sequence[str], result: dict[str, Any] | None) -> Reproduction:
    facts = [facts_of(signature) for signature in signatures]
    first = facts[0]
    # scores of labels alone verify nothing, and may need no encoder
    alone = ("encoder", "verify") if first.get("score") in SCOPES else ()
    needed = ("data", "split", "n", "ids", "encoder", "verify", "scoring", "boot")
    missing = [key for key in needed if key not in first and key not in alone]
    key, _, definition = first.get("data", "").partition("@")
    if missing or (key not in KEYS and not definition):
        wrong = f"it lacks {', '.join(missing)}" if missing else f"its data set is {first['data']!a}"
        raise UsageError(f"this is not a whole signature: {wrong}. {_GRAMMAR}")
    for signature in signatures:
        if (why := outdated(signature)) is not None:
            raise UsageError(f"{signature}\nis out of date: {why}.")
    if result is None:
        known: dict[str, Any] = {}
        for one in facts:
            known |= _known(one)
    else:
        known = {key: value for key, value in result["protocol"].items() if key != "name"}
    base, changed = _nearest(known, key)
    replace(PRESETS[base], **changed)  # refuses what is impossible
    found = {one["reassign"] for one in facts if "reassign" in one} or {"TT"}
    ways = [how.lower() for how in ("TT", "LT", "ST") if how in found]
    asked, notes = _images(first)
    if "MAP" in found:
        asked["--mapping"] = "MAPPING.csv"
    notes += sorted(
        f"An encoder of one's own decided, {name!a}: give it as text_encoder= or clip= in Python."
        for name in {
            one["encoder"].partition(",prompt=")[0].removeprefix(_OWN)
            for one in facts
            if one.get("encoder", "").startswith(_OWN)
        }
    )
    if any("human" in one for one in facts):
        asked["--ratings"] = "RATINGS"
    if scores := _scores(facts, result):
        asked["--scores"] = ",".join(scores)
    if any("," in d and ",path," not in d for d in _definitions(result)):
        asked["--similarity"] = "SIMILARITY.csv"
    return Reproduction(
        _command(base, changed, key, ways, asked), _needs(facts, result), tuple(notes)
    )  # fmt: skip


def _scores(facts: Sequence[dict[str, str]], result: dict[str, Any] | None) -> tuple[str, ...]:
    """What to ask for: all that a result holds, or what a signature is about; empty for the default ones."""
    if result is not None:
        further = [name for name in held(result) if name not in DEFAULT]
        return ("default", *further) if further else ()
    scopes = {one.get("score") for one in facts}
    return tuple(name for name, score in SCORES.items() if score.scope in scopes and not score.default)


def _definitions(result: dict[str, Any] | None) -> list[str]:
    rows = [] if result is None else result["scores"]
    return [score["definition"] for row in rows for score in row.get("more", {}).values()]


def _known(facts: dict[str, str]) -> dict[str, Any]:
    """Fields of the protocol that a signature tells."""
    found: dict[str, Any] = {"scoring": next(key for key, word in SIGNED.items() if word == facts["scoring"])}
    found["background"] = facts.get("bg", "count").partition("+")[0]
    resamples, _, seed = facts["boot"].partition("s")
    found |= {"resamples": int(resamples), "seed": int(seed)}
    if "human" in facts:
        found["human"] = facts["human"].split(",")[0]
    if facts.get("reassign") == "MAP" or "encoder" not in facts:
        return found
    lexicon = _LEXICON.fullmatch(facts["encoder"]) if facts.get("reassign") == "LT" else None
    if lexicon is not None:
        text = lexicon["text"]
        return found | ({"text_model": text.partition("@")[0]} if text and not text.startswith(_OWN) else {})
    encoder = _ENCODER.fullmatch(facts["encoder"])
    if encoder is None:
        raise UsageError(f"encoder:{facts['encoder']}: expected MODEL,prompt=… . {_GRAMMAR}")
    kind = "clip" if encoder["recipe"] is not None else "text"
    found[f"{kind}_prompt"] = encoder["prompt"]
    if not encoder["model"].startswith(_OWN):
        found[f"{kind}_model"] = encoder["model"].partition("@")[0]
    if facts.get("verify", "").startswith("cos"):
        found[f"tau_{kind}"] = float(facts["verify"].lstrip("cos>="))
    if kind == "clip":
        found |= _segments(encoder["recipe"])
    return found


def _segments(recipe: str) -> dict[str, Any]:
    """How segments are embedded: ``submitted``, ``crop``, ``masked,first=-4``, ``globsub,outputs,sigma=1.5811,first=-4``."""
    if recipe == "submitted":
        return {"segment_embeddings": "submitted"}
    mode, *others = recipe.split(",")
    found: dict[str, Any] = {"segment_embeddings": "zgbench", "segment_mode": mode}
    for part in others:
        key, _, value = part.partition("=")
        if key == "sigma":
            exact = [p.sigma for p in PRESETS.values() if f"{p.sigma:.5g}" == value]
            found["sigma"] = exact[0] if exact else float(value)
        elif key == "first":
            found["first_masked_layer"] = int(value)
        else:
            found["saliency"] = key
    return found


def _nearest(known: dict[str, Any], dataset: str) -> tuple[str, dict[str, Any]]:
    """The preset with the fewest fields to change, and these; on a tie the data set's default."""
    default = "mini" if dataset == "mini" else "v1"
    names = sorted((n for n in PRESETS if n != "mini" or dataset == "mini"), key=lambda n: n != default)
    changed = {n: {k: v for k, v in known.items() if getattr(PRESETS[n], k) != v} for n in names}
    best = min(names, key=lambda n: len(changed[n]))
    return best, changed[best]


def _command(base: str, changed: dict[str, Any], dataset: str, ways: Sequence[str], asked: dict[str, str]) -> str:
    if set(changed) <= set(OPTIONS):
        words = ["zgbench", "evaluate", "SUBMISSION", *([] if dataset == "mini" else ["--data", "DIR"])]
        words += ["--protocol", base, *(["--reassign", ",".join(ways)] if ways else [])]
        for key, value in changed.items():
            words += [f"--{key.replace('_', '-')}", str(value)]
        for option, value in asked.items():
            words += [option, *([value] if value else [])]
        return " ".join(map(shlex.quote, words))
    values = {f.name: getattr(PRESETS[base], f.name) for f in fields(Protocol) if f.name != "name"} | changed
    told = ", ".join(f"{k}={_literal(v)}" for k, v in values.items() if v != getattr(PRESETS["v1"], k))
    options = [f"{option.removeprefix('--')}={_literal(value or True)}" for option, value in asked.items()]
    data = [] if dataset == "mini" else ['data="DIR"']
    rest = ", ".join(
        ['"SUBMISSION"', *data, f"protocol=zgbench.Protocol({told})", f"reassign={json.dumps(list(ways))}", *options]
    )
    return f"python -c {shlex.quote(f'import zgbench; print(zgbench.evaluate({rest}).scores)')}"


def _literal(value: Any) -> str:
    """A value in Python, texts in double quotes, so that the whole can stand in single ones."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _images(facts: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Options about which images are scored, and what cannot be told."""
    _, _, subset = facts["split"].partition("[")
    asked = {"--subset": subset.removesuffix("]")} if subset else {}
    number = (
        subset.removesuffix("]").split(":")[1] if subset else str(len(known_ids(facts["data"]) or ()) or facts["n"])
    )
    if facts.get("verify", "").startswith("h"):
        return asked, [f"The {facts['n']} images are those whose segments all have ratings."]
    if facts["n"] == number:
        return asked, []
    note = f"It is about {facts['n']} of {number} images: a submission of a part (--partial), or data of a part (its own val.txt)."
    return asked | {"--partial": ""}, [note]


def _needs(facts: Sequence[dict[str, str]], result: dict[str, Any] | None) -> dict[str, str]:
    first = facts[0]
    told = "a signature does not name it; its SHA-256 stands in the result file" if result is None else ""
    needs = {"SUBMISSION": told or f"{result['submission']['name']!a}, SHA-256 {result['submission']['sha256']}"}  # type: ignore[index]
    key, _, definition = first["data"].partition("@")
    if definition:
        needs["DIR"] = f"the folder of the dataset.toml whose key is {key!a} (SHA-256 {definition}…)"
    if first["data"] in SPECS:
        spec = SPECS[first["data"]]
        places = " or ".join(f"{p.pattern} from {p.archive}" for p in spec.truths())
        encoders = [one.get("encoder", "") for one in facts]
        photos = any("segments=" in one and "segments=submitted" not in one for one in encoders)
        first_place = spec.photos[0]
        needs["DIR"] = places + (f"; {first_place.pattern} from {first_place.archive}" if photos else "")
    needs["truth"] = f"fingerprint {first.get('truth', '?')} of {first['n']} images, ids {first['ids']}"
    needs["models"] = ", ".join(
        sorted(
            {
                one["encoder"].partition(",prompt=")[0]
                for one in facts
                if one.get("reassign") != "MAP" and "encoder" in one
            }
        )
    )
    for one in facts:
        if one.get("reassign") == "MAP":
            needs["MAPPING.csv"] = f"the table {one['encoder']} (name and SHA-256)"
    if any("human" in one for one in facts):
        sha = "" if result is None else f", SHA-256 of the scores {result.get('ratings', {}).get('sha256', '?')}"
        needs["RATINGS"] = f"a store or a table of ratings{sha}"
    needs["zgbench"] = f"a version of protocol {first.get('zgbench', '?')}, scoring {first['scoring']}"
    return needs
