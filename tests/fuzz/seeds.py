"""Small sound inputs that fuzzing starts from."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import VOC_IDS
from tests.datasets.drawn import OWN
from tests.oracle.png import png
from tests.submission.sample import oracle, sound

CORPUS = Path(__file__).parent / "corpus"


def seeds(target: str) -> list[bytes]:
    """Inputs that the target accepts."""
    return {
        "rle_text": _rle,
        "json_submission": _json,
        "gzip_submission": lambda: [gzip.compress(text, mtime=0) for text in _json()],
        "parquet_submission": _parquet,
        "truth_png": _png,
        "truth_mat": _mat,
        "ids_list": lambda: [b"2007_000033\n2007_000042\n", b"2007_000033 1\r\n\r\n2007_000061 -1\r\nother\r\n"],
        "embeddings": _embeddings,
        "ratings_table": lambda: [
            b"image_id,segment,label,rater,score\n2007_000033,0,a dog,ann,3\n2007_000033,0,a dog,bob,2\n",
            b'score,time,rater,label,segment,image_id\r\n1,2026-01-02T03:04:05Z,"a, b",x,2,y\r\n0,2025-01-02,c,x,2,y\r\n',
        ],
        "dataset_toml": lambda: [
            OWN.encode(),
            (OWN + 'panoptic = "val.json"\noffset = 1\npalette = "index"\n').encode(),
        ],
        "panoptic_manifest": lambda: [
            b'{"annotations": [{"file_name": "a.png", "segments_info": [{"id": 3, "category_id": 1}, {"id": 9, "category_id": 0}]}]}',
            b'{"categories": [{"id": 1, "name": "cat", "isthing": 1}], "annotations": []}',
        ],
        "truth_npy": lambda: [_npy(kind) for kind in ("u1", "<i4", ">u2", "?")],
        "label_map_file": _label_maps,
        "labels_file": _labels,
        "panoptic_json": _panoptic,
        "coco_json": _coco,
        "planted": lambda: [b"a"],
    }[target]()


def _npy(kind: str) -> bytes:
    content = io.BytesIO()
    np.save(content, np.arange(6).reshape(2, 3).astype(kind))
    return content.getvalue()


def kept(target: str) -> dict[str, bytes]:
    """Inputs that longer runs kept: each reached code that none before it had, or broke something once."""
    place = CORPUS / f"{target}.zip"
    if not place.is_file():
        return {}
    with zipfile.ZipFile(place) as file:
        return {name: file.read(name) for name in file.namelist()}


def dictionary(target: str) -> list[bytes]:
    """Words that mutations should know."""
    if target in ("json_submission", "gzip_submission"):
        words = "format name dataset track method embeddings images id size segments label counts class free oracle"
        keys = [f'"{word}"'.encode() for word in words.split()]
        return [*keys, b"[]", b"{}", b"null", b"1e999", b"\\ud800", b"\\u202e", b"-1", b"65535", b"NaN", b",", b":"]
    if target == "coco_json":
        return [
            b'"segmentation"',
            b'"counts"',
            b'"size"',
            b'"image_id"',
            b'"category_id"',
            b'"images"',
            b'"annotations"',
            b'"label"',
            b"[[",
            b"1e308",
            b"NaN",
        ]
    if target == "panoptic_json":
        return [
            b'"segments_info"',
            b'"id"',
            b'"file_name"',
            b'"category_id"',
            b'"categories"',
            b'"label"',
            b'"name"',
            b"70000",
            b"16777216",
            b"null",
        ]
    if target == "labels_file":
        return [
            b"image_id",
            b"value",
            b"label",
            b"id2label",
            b"categories",
            b'"name"',
            b'"id"',
            b"#ff00ff",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b";",
            b"\t",
        ]
    if target == "label_map_file":
        return [
            b"\x93NUMPY",
            b"PK\x03\x04",
            b"II*\0",
            b"IHDR",
            b"PLTE",
            b"IDAT",
            b"tRNS",
            b"'descr'",
            b"'<f4'",
            b"'|O'",
            b"(1, 4, 6)",
        ]
    if target == "truth_png":
        return [
            b"IHDR",
            b"PLTE",
            b"IDAT",
            b"IEND",
            b"tRNS",
            b"zTXt",
            b"iTXt",
            b"acTL",
            b"fcTL",
            b"fdAT",
            b"gAMA",
            b"iCCP",
            b"eXIf",
        ]
    if target == "parquet_submission":
        return [b"PAR1", b"image_id", b"height", b"width", b"label", b"counts", b"class", b"zgbench", b"ARROW:schema"]
    if target == "truth_mat":
        return [b"LabelMap", b"\x0e\0\0\0", b"\x0f\0\0\0", b"\x06\0\0\0", b"\x09\0\0\0", b"MATLAB 5.0", b"\0\1IM"]
    if target == "rle_text":
        return [b"\n", b"oooooo", b"PPPPP", b"0", b"o0", b"P0"]
    if target == "embeddings":
        return [b'"dtype":"F32"', b'"shape":[3,2]', b'"data_offsets":[0,24]', b"__metadata__", b"F16", b"F64", b"BF16"]
    if target == "ratings_table":
        return [b"image_id", b"segment", b"label", b"rater", b"score", b"time", b"1e3", b"-1", b'"', b"\xe2\x80\xae"]
    if target == "dataset_toml":
        words = "format key title split images ids photos truth classes citation licence files panoptic offset background void"
        return [
            *(f"{w} = ".encode() for w in words.split()),
            b"[truth]",
            b"[[classes]]",
            b'"rest"',
            b"{id}",
            b"../",
            b"**/",
        ]
    if target == "panoptic_manifest":
        words = ("annotations", "file_name", "segments_info", "id", "category_id", "categories")
        return [*(f'"{w}"'.encode() for w in words), b"16777216", b"-1", b"1e9", b"null", b"[]", b"{}"]
    if target == "truth_npy":
        return [b"\x93NUMPY", b"'descr': '", b"'fortran_order': ", b"'shape': (", b"|O", b"<f8", b"True", b"(-1, 2)"]
    return [b"2007_000033", b"\n", b"\x1c", b"\xe2\x80\xae"]


def _rle() -> list[bytes]:
    return [b"6l00", b"`31_1\n04\n0f9N0o1", b"T3\\1cN0\n\n0" + b"1" * 40, b"ooooo0ooooo0oooooo"]


def _json() -> list[bytes]:
    turned = dict(reversed(sound().items()))
    return [json.dumps(document).encode() for document in (sound(), oracle(), turned)]


def _parquet() -> list[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    import zgbench

    found = []
    for document in (sound(), oracle()):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mine.json"
            path.write_text(json.dumps(document))
            place = zgbench.convert(path, path.with_name("mine.parquet")).path
            found.append(place.read_bytes())
            table = pq.read_table(place)
            bare = pa.table({name: table[name] for name in table.column_names})
            sink = io.BytesIO()
            with pq.ParquetWriter(
                sink, bare.schema, compression="none", use_dictionary=False, store_schema=False
            ) as file:
                file.write_table(bare)
                file.add_key_value_metadata({"zgbench": pq.read_metadata(place).metadata[b"zgbench"].decode()})
            found.append(sink.getvalue())
    return found


def _png() -> list[bytes]:
    from PIL import Image

    values = np.arange(24, dtype=np.uint8).reshape(4, 6)
    palette = Image.fromarray(values)
    palette.putpalette(np.repeat(np.arange(256), 3).tolist())
    pictures: list[tuple[Any, dict[str, Any]]] = [
        (palette, {}), (Image.fromarray(values), {}), (Image.fromarray(values.astype(np.uint16) * 300), {}),
        (palette, {"bits": 4}), (Image.fromarray(np.zeros((4, 6, 3), np.uint8)), {}),
    ]  # fmt: skip
    found = []
    for picture, options in pictures:
        file = io.BytesIO()
        picture.save(file, format="PNG", **options)
        found.append(file.getvalue())
    return found


def _label_maps() -> list[bytes]:
    from tests.submission.kinds import COLOURED, MAP, VOC, npy, tiff, zipped

    return [
        png(MAP, 0, 2), png(MAP, 3, 2, VOC[:3]), png(2 - MAP, 3, 2, [(2, 2, 2), (1, 1, 1), (0, 0, 0)]), png(COLOURED, 2, 8),
        npy(MAP), npy(MAP[None].astype(np.float32)), zipped(**{"a.npy": npy(MAP)}), tiff(MAP), tiff(MAP.astype(np.uint16)),
    ]  # fmt: skip


def _labels() -> list[bytes]:
    from tests.submission.kinds import CATEGORIES, NAMED

    found = [
        NAMED,
        {"a": ["b", ["c", "d"]]},
        {"1": "a"},
        ["a", "b"],
        {"categories": CATEGORIES},
        {"id2label": {"0": "a"}},
        {"a": [1, 2, 3], "#ffffff": "b"},
    ]
    tables = [
        b"image_id,value,label\na.jpg,1,b\n",
        b"\xef\xbb\xbfvalue;label\r\n1;a\r\n",
        b"label,r,g,b\na,1,2,3\n",
        b"a:1,2,3::\n",
        b"a\nb\n",
    ]
    return [json.dumps(content).encode() for content in found] + tables


def _panoptic() -> list[bytes]:
    from tests.submission.kinds import CATEGORIES, INFO

    one = {"annotations": [{"file_name": f"{VOC_IDS[0]}.png", "segments_info": INFO}]}
    two = {
        "annotations": [
            {"file_name": f"{i}.png", "segments_info": [{"id": 7, "category_id": 1}, {"id": 70_000, "category_id": 12}]}
            for i in VOC_IDS
        ],
        "categories": CATEGORIES,
    }
    return [json.dumps(content).encode() for content in (one, two)]


def _coco() -> list[bytes]:
    from tests.submission.kinds import BESIDE, MAP, POLYGONS, TWO, rle_of

    results = [
        {"image_id": VOC_IDS[0], "label": ["a", "b"], "score": 0.5, "segmentation": rle_of(MAP == 1, plain=True)}
    ]
    whole = {
        **BESIDE,
        "annotations": [{"image_id": 9, "category_id": 1, "segmentation": POLYGONS}, {**TWO[0], "image_id": 9}],
    }
    return [json.dumps(content).encode() for content in (results, TWO[:1], whole)]


def _embeddings() -> list[bytes]:
    from safetensors.numpy import save

    vectors = np.arange(1, 7).reshape(3, 2)
    return [save({"embeddings": vectors.astype(kind)}) for kind in (np.float16, np.float32, np.float64)]


def _mat() -> list[bytes]:
    from scipy.io import savemat

    found = []
    for kind, options in (
        (np.uint16, {}), (np.float64, {"do_compression": True}), (np.uint8, {}), (np.int32, {}), (np.uint8, {"format": "4"}),
    ):  # fmt: skip
        file = io.BytesIO()
        savemat(file, {"LabelMap": np.arange(24).reshape(4, 6).astype(kind)}, **options)
        found.append(file.getvalue())
    return found
