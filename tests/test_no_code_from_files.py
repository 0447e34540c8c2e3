"""Nothing that is read can run: no pickle, no eval, no YAML, no loader that would call what a file names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("zgbench", "reference_method", "human_eval", "leaderboard")
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "jsonpickle", "code", "imp"}  # fmt: skip
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
PARQUET = {"read_table", "read_parquet", "read_metadata", "read_schema", "ParquetDataset"}
METHODS = {"read_pickle", "to_pickle", "load_module", "unsafe_load"}


def found(source: str) -> Iterator[str]:
    """What in a source could run what a file says, each as "line: what"."""
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Import):
            yield from (f"{line}: import {a.name}" for a in node.names if a.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = {str(node.module).partition(".")[0], *(alias.name for alias in node.names)}
            if not node.level and names & MODULES:
                yield f"{line}: from {node.module} import …"
        elif isinstance(node, ast.Call):
            options = {k.arg: k.value.value if isinstance(k.value, ast.Constant) else ... for k in node.keywords}
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if (not owner and name in CALLS) or name in METHODS or owner == "builtins":
                yield f"{line}: {name}("
            if options.get("allow_pickle", False) is not False:
                yield f"{line}: allow_pickle"
            if owner in ("np", "numpy") and name == "load" and options.get("allow_pickle") is not False:  # fmt: skip
                yield f"{line}: np.load( without allow_pickle=False"
            if owner == "torch" and name == "load" and options.get("weights_only") is not True:
                yield f"{line}: torch.load( without weights_only=True"
            if options.get("trust_remote_code", False) is not False or options.get("shell", False) is not False:
                yield f"{line}: trust_remote_code or shell"
            if owner == "os" and name in ("system", "popen"):
                yield f"{line}: os.{name}("
            if (name in PARQUET or (name == "ParquetFile" and "metadata" not in options)) and owner in (
                "pq",
                "pd",
                "parquet",
                "pandas",
            ):
                given = ast.unparse(node.args[0]) if node.args else ""
                if not given.startswith("plain("):
                    yield f"{line}: {name}( of a file that plain() has not seen (an extension type's class would run)"
            if name in ("open_stream", "open_file", "RecordBatchFileReader", "RecordBatchStreamReader") and (
                "plain_stream(" not in ast.unparse(node)
            ):
                yield f"{line}: {name}( of a file that plain_stream() has not seen"
            if name == "open" and owner == "Image" and "formats" not in options:
                yield f"{line}: Image.open( without formats (EPS would start Ghostscript)"


def test_nothing_that_is_read_can_run() -> None:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 80
    told = [f"{path.relative_to(ROOT)}:{what}" for path in files for what in found(path.read_text(encoding="utf-8"))]
    assert told == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "import yaml.loader", "from joblib import load", "from torch.serialization import pickle", "eval(x)",
        "exec(x)", "np.load(f)", "np.load(f, allow_pickle=True)", "np.load(f, allow_pickle=x)", "torch.load(f)",
        "torch.load(f, weights_only=False)", "pd.read_pickle(f)", "M.from_pretrained(n, trust_remote_code=True)",
        "subprocess.run(x, shell=True)", "os.system(x)", "Image.open(f)", "builtins.eval(x)",
        "pq.read_table(f)", "pd.read_parquet(f)", "pq.read_metadata(f)", "pq.ParquetFile(source=f)", "pa.ipc.open_stream(f)",
    ],
)  # fmt: skip
def test_it_would_be_seen(source: str) -> None:
    assert list(found(source))


@pytest.mark.parametrize(
    "source",
    [
        "np.load(f, allow_pickle=False)", "torch.load(f, weights_only=True)", "model.eval()", "re.compile(x)", "json.load(f)",
        "Image.open(f, formats=['PNG'])", "subprocess.run([a], check=False)",
        "pq.read_table(plain(f), use_threads=False)", "pq.ParquetFile(f, metadata=seen)",
    ],
)  # fmt: skip
def test_what_may_stand_is_left_alone(source: str) -> None:
    assert not list(found(source))
