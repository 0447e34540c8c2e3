"""``python -m tests.hub.as_user CATALOGUE ARGUMENTS…``: zgbench in a process of its own, with a test's models pinned.

CATALOGUE is a JSON file of catalogue entries; each takes the place of the one of its name, so that a command, its
environment and its folders are those of a user.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from zgbench.cli import main
from zgbench.models import hub
from zgbench.models.catalogue import CATALOGUE, File, Model, Original


def entry(raw: dict[str, Any]) -> Model:
    """A catalogue entry from JSON."""
    raw["files"] = tuple(File(**file) for file in raw["files"])
    raw["original"] = Original(**raw["original"]) if raw["original"] else None
    return Model(**raw | {key: tuple(raw[key]) for key in ("also", "parts")})


if __name__ == "__main__":
    for raw in json.loads(Path(sys.argv[1]).read_text()):
        CATALOGUE[raw["name"]] = entry(raw)
    hub._PATIENCE = float(os.environ.get("ZGBENCH_TEST_PATIENCE", hub._PATIENCE))
    sys.exit(main(sys.argv[2:]))
