"""How long LT takes: from nothing to 100 labels, and 60,000 distinct labels on one core without a text model.

python -m tests.benchmarks.bench_lexicon [LABELS]
"""

from __future__ import annotations

import random
import sys
import time

BEFORE = ("a red ", "two ", "the back of a ", "a man holding a ", "")
BEHIND = (" on the street", "", " next to a tree", " in the background", " with a white roof")


def main(count: int = 60_000) -> None:
    """Print wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()

    def lap(what: str) -> None:
        nonlocal wall, cpu
        now = time.perf_counter(), time.process_time()
        print(f"{what:44} {now[0] - wall:7.2f} s, processor {now[1] - cpu:7.2f} s")
        wall, cpu = time.perf_counter(), time.process_time()

    from zgbench import lexicon
    from zgbench.datasets.vocabulary import pc459

    v = pc459()
    mapper = lexicon.load().mapper(lexicon.ClassList.of(v.readable, v.ids, v.also, v.synsets))
    mapper.decide([f"a red {name} on the floor" for name in v.names[:100]])
    lap("start and 100 distinct labels")
    rng = random.Random(0)
    nouns = [lemma.replace("_", " ") for lemma in rng.sample(lexicon.load().wordnet.lemmas, min(count // 2, 40_000))]
    labels: list[str] = []
    while len(labels) < count:
        labels = sorted({*labels, *(rng.choice(BEFORE) + rng.choice(nouns) + rng.choice(BEHIND) for _ in range(count))})
    labels = rng.sample(labels, count)
    lap("(labels made)")
    mapper.decide(labels)
    lap(f"{len(labels)} distinct labels")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
