"""Kinds of input that people bring to ``zgbench convert``, sound and bad; what becomes of each stands in docs/convert-kinds.md.

``python -m tests.submission.kinds > docs/convert-kinds.md`` writes that page.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import zgbench
from tests.conftest import VOC_IDS
from tests.oracle.png import png, voc_colour
from tests.oracle.rle import compress
from zgbench.submission.convert import CLASS_LABELS

ID, OTHER = VOC_IDS[0], VOC_IDS[1]
MAP = np.array([[1, 1, 0, 2, 2, 2]] * 4, dtype=np.uint8)
NAMED = {ID: {"1": "a plane", "2": "a dog"}}
BOM = b"\xef\xbb\xbf"
Make = Callable[[Path], dict[str, Any]]


def put(folder: Path, name: str, content: Any) -> Path:
    """Write bytes, text, an array (by ending), or anything else as JSON; the path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        if name.endswith(".npy"):
            np.save(path, content)
        elif name.endswith(".npz"):
            np.savez(path, content)
        else:
            Image.fromarray(content).save(path, format="PNG" if name.endswith(".png") else None)
    else:
        text = content if isinstance(content, (bytes, str)) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def maps(
    content: Any = MAP, labels: Any = None, name: str = f"{ID}.png", labels_name: str = "labels.json", **options: Any
) -> Make:
    """A folder with one label map, and a file of labels beside it."""

    def make(folder: Path) -> dict[str, Any]:
        put(folder / "maps", name, content)
        if labels in (*CLASS_LABELS, "pas21"):  # a class list by name
            given: str | None = labels
        elif "legend" in options:
            given = None
        else:
            given = str(put(folder, labels_name, NAMED if labels is None else labels))
        return {"source": folder / "maps", **options, "labels": given}

    return make


def legend(content: Any, given: Any, name: str = "legend.json", map_name: str = f"{ID}.png") -> Make:
    """A folder with one RGB map, and a legend."""

    def make(folder: Path) -> dict[str, Any]:
        put(folder / "maps", map_name, content)
        return {
            "source": folder / "maps",
            "legend": given
            if isinstance(given, str) and "." not in given[:5] and len(given) < 6
            else str(put(folder, name, given)),
        }

    return make


IDS = np.where(MAP == 1, 7, np.where(MAP == 2, 70_000, 0))
RGB = np.stack([IDS % 256, IDS // 256 % 256, IDS // 65536], axis=-1).astype(np.uint8)
INFO: list[dict[str, Any]] = [
    {"id": 7, "label": "a plane", "category_id": 1, "area": 8, "isthing": True},
    {"id": 70_000, "label": "a dog", "category_id": 12},
]
CATEGORY_INFO = [{"id": 7, "category_id": 1}, {"id": 70_000, "category_id": 12}]
CATEGORIES = [{"id": 1, "name": "a plane", "isthing": 1}, {"id": 12, "name": "a dog", "isthing": 1}]


def panoptic(
    info: Any = INFO,
    picture: Any = RGB,
    folder_of_its_own: bool = False,
    raw: bytes | None = None,
    annotation: Any = None,
    **rest: Any,
) -> Make:
    """A COCO-panoptic folder with one image."""

    def make(folder: Path) -> dict[str, Any]:
        said = ("labels", "tags", "overlap")
        options = {key: value for key, value in rest.items() if key in said}
        put(folder / "in", f"{'pngs/' if folder_of_its_own else ''}{ID}.png", picture)
        whole = {
            "annotations": [annotation or {"file_name": f"{ID}.png", "image_id": 3, "segments_info": info}],
            **{key: value for key, value in rest.items() if key not in said},
        }
        put(folder / "in", "panoptic.json", raw or whole)
        if "labels" in options:
            options["labels"] = str(put(folder, "labels.json", options["labels"]))
        return {"source": folder / "in", **options}

    return make


def rle_of(mask: Any, *, plain: bool = False) -> dict[str, Any]:
    """COCO's run lengths, compressed or not."""
    mask = np.asarray(mask, bool)
    if not plain:
        return {"size": list(mask.shape), "counts": compress(mask)}
    counts, value = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def result(mask: Any, category: Any = 1, **rest: Any) -> dict[str, Any]:
    """One of COCO's results."""
    return {"image_id": ID, "category_id": category, "segmentation": mask, "score": 0.9, **rest}


TWO = [result(rle_of(MAP == 1)), result(rle_of(MAP == 2), 12)]
BESIDE = {"images": [{"id": 9, "file_name": f"{ID}.jpg", "height": 4, "width": 6}], "categories": CATEGORIES}


def coco(content: Any, beside: Any = None, labels: Any = None, name: str = "results.json", **options: Any) -> Make:
    """A COCO file."""

    def make(folder: Path) -> dict[str, Any]:
        given: dict[str, Any] = {"source": put(folder, name, content), **options}
        if beside is not None:
            given["annotations"] = put(folder, "val.json", beside)
        if labels is not None:
            given["labels"] = str(put(folder, "labels.json", labels))
        return given

    return make


def sam(content: Any, labels: Any = None, name: str = f"{ID}.json", **options: Any) -> Make:
    """A folder with a JSON of masks for an image."""

    def make(folder: Path) -> dict[str, Any]:
        put(folder / "masks", name, content)
        given = {"source": folder / "masks", **options}
        return given | ({"labels": str(put(folder, "labels.json", labels))} if labels is not None else {})

    return make


def zipped(**members: bytes) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array: Any) -> bytes:
    """A ``.npy`` file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def tiff(array: Any, **options: Any) -> bytes:
    """A TIFF."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="TIFF", **options)
    return file.getvalue()


def jpeg(array: Any) -> bytes:
    """A JPEG."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="JPEG")
    return file.getvalue()


VOC = [voc_colour(k) for k in range(256)]
CLASSES = np.where(MAP == 2, 12, MAP).astype(np.uint8)
ZERO = np.where(CLASSES == 0, 255, CLASSES - 1).astype(np.uint8)  # counted from 0, 255 in no segment
COLOURED = np.array([(0, 0, 0), (128, 0, 0), (64, 0, 128)], dtype=np.uint8)[MAP]
BOTH = ["a plane", "a dog"]
CLASS_NAMES = ["aeroplane", "dog"]
POLYGONS = [[0.0, 0.0, 2.0, 0.0, 2.0, 4.0, 0.0, 4.0]]
OVERLAPPING = [result(rle_of(MAP >= 0), score=0.1), result(rle_of(MAP == 2), 12)]

SOUND: dict[str, tuple[Make, list[str]]] = {
    "label map: grey PNG of 8 bits": (maps(), BOTH),
    "label map: grey PNG of 16 bits": (maps(png(MAP.astype(int) * 300, 0, 16), {ID: {"300": "a plane", "600": "a dog"}}), BOTH),
    "label map: grey PNG of 2 bits": (maps(png(MAP, 0, 2)), BOTH),
    "label map: grey PNG of 4 bits, interlaced": (maps(png(MAP, 0, 4, interlaced=True)), BOTH),
    "label map: palette PNG with VOC's colours": (maps(png(MAP, 3, 8, VOC)), BOTH),
    "label map: palette PNG, VOC's colours in another order": (maps(png(2 - MAP, 3, 2, [VOC[12], VOC[1], VOC[0]]), labels="pas20"), CLASS_NAMES),
    "label map: palette PNG, grey colours in another order": (maps(png(2 - MAP, 3, 2, [(2, 2, 2), (1, 1, 1), (0, 0, 0)])), BOTH),
    "label map: palette PNG with transparency": (maps(png(MAP, 3, 2, VOC[:3], chunks=[(b"tRNS", b"\0")])), BOTH),
    "label map: palette PNG with other colours, --palette index": (maps(png(MAP, 3, 2, [(0, 0, 0), (1, 2, 3), (9, 8, 7)]), palette="index"), BOTH),
    "label map: .npy, int64": (maps(MAP.astype(np.int64), name=f"{ID}.npy"), BOTH),
    "label map: .npy, float of whole numbers": (maps(MAP.astype(np.float32), name=f"{ID}.npy"), BOTH),
    "label map: .npy, [1, h, w]": (maps(MAP[None], name=f"{ID}.npy"), BOTH),
    "label map: .npy, column by column": (maps(np.asfortranarray(MAP), name=f"{ID}.npy"), BOTH),
    "label map: .npz with one array": (maps(MAP, name=f"{ID}.npz"), BOTH),
    "label map: TIFF of 8 bits": (maps(tiff(MAP), name=f"{ID}.tif"), BOTH),
    "label map: TIFF of 16 bits": (maps(tiff(MAP.astype(np.uint16)), name=f"{ID}.tiff"), BOTH),
    "label map: TIFF of 32 bits": (maps(tiff(MAP.astype(np.int32)), name=f"{ID}.tif"), BOTH),
    "label maps in a folder below": (maps(name=f"val/{ID}.png"), BOTH),
    "labels: {image: [label, …]}": (maps(labels={ID: BOTH}), BOTH),
    "labels: {value: label}": (maps(labels={"1": "a plane", "2": "a dog"}), BOTH),
    "labels: a list of classes": (maps(labels=BOTH), BOTH),
    "labels: a model's config.json (id2label)": (maps(labels={"id2label": {"1": "a plane", "2": "a dog"}}), BOTH),
    "labels: COCO's categories": (maps(CLASSES, {"categories": CATEGORIES}), BOTH),
    "labels: CSV": (maps(labels=f"image_id,value,label\n{ID}.jpg,1,a plane\n{ID}.jpg,2,a dog\n", labels_name="l.csv"), BOTH),
    "labels: CSV with semicolons and a byte order mark": (maps(labels=BOM + f"image_id;value;label\r\n{ID};1;a plane\r\n{ID};2;a dog\r\n".encode(), labels_name="l.csv"), BOTH),
    "labels: CSV with tabs": (maps(labels="value\tlabel\n1\ta plane\n2\ta dog\n", labels_name="l.tsv"), BOTH),
    "labels: text file, a class a line": (maps(labels="a plane\r\na dog\r\n", labels_name="l.txt"), BOTH),
    "labels: text file with \"\\r\" as line ending": (maps(labels="a plane\ra dog\r", labels_name="l.txt"), BOTH),
    "labels: JSON with a byte order mark": (maps(labels=BOM + json.dumps(NAMED).encode()), BOTH),
    "labels: image ids with .jpg": (maps(labels={f"{ID}.jpg": {"1": "a plane", "2": "a dog"}}), BOTH),
    "labels: several tags, --tags first": (maps(labels={ID: [["a plane", "jet"], ["a dog"]]}, tags="first"), BOTH),
    "labels: several tags, --tags join": (maps(labels={ID: [["a plane", "jet"], ["a dog"]]}, tags="join"), ["a plane, jet", "a dog"]),
    "class ids of VOC, border 255": (maps(np.where(CLASSES == 0, 255, CLASSES).astype(np.uint8), labels="pas20"), CLASS_NAMES),
    "class ids counted from 0, --first 0": (maps(ZERO, labels="pas20", first=0), CLASS_NAMES),
    "class ids of PC-59 counted from 0, --first 0": (maps(ZERO, labels="pc59-alphabetical", first=0), ["aeroplane", "bus"]),
    "class ids of Cityscapes as models count them, --first 0": (maps(ZERO, labels="cityscapes19", first=0), ["road", "person"]),
    "class ids of Cityscapes as its files number them": (maps((MAP * 7 + (MAP == 2) * 10).astype(np.uint8), labels="cityscapes19"), ["road", "person"]),
    "a class a line counted from 0, --first 0 --background 255": (maps(np.where(MAP == 0, 255, MAP - 1).astype(np.uint8), "a plane\na dog\n", labels_name="l.txt", first=0, background=255), BOTH),
    "every value lies in a segment, --background none": (maps(labels={ID: {"0": "sky", "1": "a plane", "2": "a dog"}}, background=()), ["sky", *BOTH]),
    "companions of macOS and Windows beside the maps": (
        lambda folder: [put(folder / "maps", name, b"\0\5\x16\7") for name in (f"._{ID}.png", ".DS_Store", "Thumbs.db", "desktop.ini")] and maps()(folder), BOTH),
    "RGB map with a legend (JSON)": (legend(COLOURED, {"a plane": [128, 0, 0], "a dog": [64, 0, 128]}), BOTH),
    "RGB map with a legend (#rrggbb)": (legend(COLOURED, {"#800000": "a plane", "#400080": "a dog"}), BOTH),
    "RGB map with a legend (CSV)": (legend(COLOURED, "name,r,g,b\na plane,128,0,0\na dog,64,0,128\n", "l.csv"), BOTH),
    "RGB map with a legend (CVAT's labelmap.txt)": (legend(COLOURED, "# label:color_rgb:parts:actions\nbackground:0,0,0::\na plane:128,0,0::\na dog:64,0,128::\n", "labelmap.txt"), BOTH),
    "RGB map with VOC's colours, --legend pas20": (legend(COLOURED, "pas20"), CLASS_NAMES),
    "RGB map reduced to a palette, with a legend": (legend(png(MAP, 3, 2, [(0, 0, 0), (128, 0, 0), (64, 0, 128)]), "pas20"), CLASS_NAMES),
    "COCO panoptic with labels": (panoptic(), BOTH),
    "COCO panoptic, PNGs in a folder of their own": (panoptic(folder_of_its_own=True), BOTH),
    "COCO panoptic with category_id and categories (detectron2, Mask2Former)": (panoptic([{"id": 7, "category_id": 1}, {"id": 70_000, "category_id": 12}], categories=CATEGORIES), BOTH),
    "COCO panoptic, names of category ids with --labels": (panoptic([{"id": 7, "category_id": 1}, {"id": 70_000, "category_id": 12}], labels={"1": "a plane", "12": "a dog"}), BOTH),
    "COCO panoptic, RGB reduced to a palette by an optimiser": (panoptic(picture=png(MAP, 3, 2, [(0, 0, 0), (7, 0, 0), (112, 17, 1)])), BOTH),
    "COCO panoptic, RGB reduced to grey by an optimiser": (panoptic([{"id": 65793, "label": "a plane"}, {"id": 2 * 65793, "label": "a dog"}], png(MAP, 0, 8)), BOTH),
    "COCO panoptic, ids in a grey PNG": (panoptic([{"id": 1, "label": "a plane"}, {"id": 2, "label": "a dog"}], png(MAP, 0, 16)), BOTH),
    "COCO panoptic with a byte order mark": (panoptic(raw=BOM + json.dumps({"annotations": [{"file_name": f"{ID}.png", "segments_info": INFO}]}).encode()), BOTH),
    "COCO results, compressed run lengths": (coco(TWO, {"categories": CATEGORIES}), BOTH),
    "COCO results, plain run lengths": (coco([result(rle_of(MAP == 1, plain=True)), result(rle_of(MAP == 2, plain=True), 12)], {"categories": CATEGORIES}), BOTH),
    "COCO results, image ids by --annotations": (coco([{**r, "image_id": 9} for r in TWO], BESIDE), BOTH),
    "COCO results with labels of their own": (coco([{**TWO[0], "label": "a plane"}, {**TWO[1], "label": "a dog"}]), BOTH),
    "COCO annotations with images and categories": (coco({**BESIDE, "annotations": [{**r, "image_id": 9} for r in TWO]}), BOTH),
    "COCO annotations, polygons": (coco({**BESIDE, "annotations": [{**result(POLYGONS), "image_id": 9}]}), ["a plane"]),
    "COCO annotations, images first in the file": (coco({"images": BESIDE["images"], "annotations": [{**r, "image_id": 9} for r in TWO], "categories": CATEGORIES}), BOTH),
    "COCO results that overlap, --overlap smallest": (coco(OVERLAPPING, {"categories": CATEGORIES}, overlap="smallest"), BOTH),
    "COCO results that overlap, --overlap score": (coco(OVERLAPPING, {"categories": CATEGORIES}, overlap="score"), BOTH),
    "COCO results that overlap, --overlap order": (coco(OVERLAPPING, {"categories": CATEGORIES}, overlap="order"), ["a plane"]),
    "SAM's masks, a JSON an image, labels apart": (sam([{"segmentation": rle_of(MAP == 1), "area": 8, "predicted_iou": 0.9}, {"segmentation": rle_of(MAP == 2), "area": 12, "predicted_iou": 0.8}], {ID: BOTH}), BOTH),
    "SAM's masks with class names (Semantic-Segment-Anything)": (sam({"annotations": [{"segmentation": rle_of(MAP == 1), "class_name": "a plane"}, {"segmentation": rle_of(MAP == 2), "class_name": "a dog"}]}), BOTH),
    "all label maps in one .npz": (lambda folder: {"source": put(folder, "all.npz", zipped(**{f"{ID}.npy": npy(MAP)})), "labels": str(put(folder, "l.json", NAMED))}, BOTH),
    "all label maps in one .npz, other files beside them": (lambda folder: {"source": put(folder, "all.npz", zipped(**{f"{ID}.npy": npy(MAP), "about.txt": b"x"})), "labels": str(put(folder, "l.json", NAMED))}, BOTH),
    "label map: TIFF of floats": (maps(tiff(MAP.astype(np.float32)), name=f"{ID}.tif"), BOTH),
    "labels: a list of categories": (maps(CLASSES, CATEGORIES), BOTH),
    "colours in a .npy, with a legend": (legend(COLOURED, "pas20", map_name=f"{ID}.npy"), CLASS_NAMES),
    "colours in a .npz, with a legend": (legend(COLOURED, "pas20", map_name=f"{ID}.npz"), CLASS_NAMES),
    "colours in a TIFF, with a legend": (legend(tiff(COLOURED), "pas20", map_name=f"{ID}.tif"), CLASS_NAMES),
    "COCO panoptic, categories.json beside it": (lambda folder: put(folder / "in", "categories.json", CATEGORIES) and panoptic()(folder), BOTH),
    "COCO panoptic, names of category ids by --annotations": (lambda folder: {**panoptic(CATEGORY_INFO)(folder), "annotations": put(folder, "val.json", {"categories": CATEGORIES})}, BOTH),
    "COCO annotations: an image without masks": (coco({**BESIDE, "annotations": []}), []),
    "COCO annotations: images without sizes": (coco({"images": [{"id": 9, "file_name": f"{ID}.jpg"}], "categories": CATEGORIES, "annotations": [{**r, "image_id": 9} for r in TWO]}), BOTH),
    "SAM's masks, labels by number": (sam([{"segmentation": rle_of(MAP == 2)}, {"segmentation": rle_of(MAP == 1)}], {ID: {"1": "a dog", "0": "a plane"}}), ["a plane", "a dog"]),
    "SAM's masks, labels by numbers of their own": (sam([{"segmentation": rle_of(MAP == 2)}, {"segmentation": rle_of(MAP == 1)}], {ID: {"9": "a dog", "5": "a plane"}}), ["a dog", "a plane"]),
    "a data set of one's own that is not at hand": (maps(dataset="street-2026"), BOTH),
}  # fmt: skip

BAD: dict[str, tuple[Make, str]] = {
    "neither labels nor a legend": (lambda folder: {**maps()(folder), "labels": None}, r"holds label maps: give --labels FILE"),
    "labels and a legend": (maps(labels="pas20", legend="pas20"), r"not both"),
    "RGB label map": (maps(np.repeat(MAP[..., None], 3, 2)), r"found RGB, all three channels equal: keep one\. A label map holds one number a pixel: save it as one channel of 8 or 16 bits"),
    "RGB label map, colours": (maps(COLOURED), r"found RGB\. A label map .* give a legend \(--legend\)"),
    "grey label map with alpha": (maps(png(np.dstack([MAP, MAP]), 4, 8)), r"found grey with alpha\. A label map holds one number"),
    "RGB label map with alpha": (maps(png(np.dstack([COLOURED, MAP * 0 + 255]), 6, 8)), r"found RGB with alpha\."),
    "RGB label map of 16 bits": (maps(png(COLOURED, 2, 16)), r"found RGB of 16 bits a channel"),
    "grey label map of 1 bit": (maps(png(MAP % 2, 0, 1)), r"a grey PNG of 1 bit is black and white"),
    "indices beyond the palette": (maps(png(MAP, 3, 2, VOC[:2])), r"hold the palette indices \[2\], beyond the palette of 2 colours\. The file lost its values"),
    "Pillow's mode P without a palette": (maps(png(MAP % 2, 3, 1, VOC[:1])), r"indices \[1\], beyond the palette of 1 colour"),
    "palette of other colours": (maps(png(MAP, 3, 2, [(0, 0, 0), (1, 2, 3), (9, 8, 7)])), r"neither VOC's colour map nor grey \(it has \(1, 2, 3\), \(9, 8, 7\)\).*--palette index"),
    "palette of one colour": (maps(png(MAP, 3, 2, [(0, 0, 0)] * 3)), r"several palette indices in use have one colour"),
    "JPEG with the name of a PNG": (maps(jpeg(np.zeros((16, 16), np.uint8))), r"it is a JPEG, whatever its name says\)\. JPEG changes values"),
    "label maps as JPEG": (maps(jpeg(MAP), name=f"{ID}.jpg"), r"JPEG and WebP change values"),
    "PNG that is cut off": (maps(png(MAP, 0, 8)[:-9]), r"not a readable PNG \(cut off\)\. Write the file again"),
    "PNG with a wrong checksum": (maps(png(MAP, 0, 8)[:-1] + b"\0"), r"a checksum is wrong"),
    "empty file": (maps(b""), r"it is an empty file"),
    "pointer of Git LFS": (maps(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), r"git lfs pull"),
    "animated PNG": (maps(png(MAP, 0, 8, chunks=[(b"acTL", bytes(8))])), r"an animated PNG"),
    "empty folder": (lambda folder: (folder / "maps").mkdir() or {"source": folder / "maps", "labels": "pas20"}, r"holds no label maps \(\.png, \.npy"),
    "folder of other files": (maps(b"", name="notes.md"), r"holds no label maps .*\.md"),
    "no such folder": (lambda folder: {"source": folder / "none", "labels": "pas20"}, r"there is no such file or folder"),
    "names with an ending of their own": (maps(name=f"{ID}_pred.png"), r"1 of 1 images are none of pas20, the first: '2007_000033_pred'.*Take the ending '_pred' off the names"),
    "names of another data set": (maps(name="000000000139.png"), r"are none of pas20, the first: '000000000139'.*Its ids look like '2007_000033'"),
    "two maps of one image": (lambda folder: {**maps()(folder), "source": put(folder / "maps", f"{ID}.npy", MAP).parent}, r"a second map of the image '2007_000033'"),
    "value without a label": (maps(labels={ID: {"1": "a plane"}}), r"holds the values 1, 2; .* has labels for 1: no label for 2"),
    "class id beyond the list": (maps(MAP * 20, labels="pas20"), r"holds the values 20, 40; pas20 has labels for 1–20: no label for 40\. pas20 ends at 20"),
    "border without a word": (maps(np.where(MAP == 0, 255, MAP).astype(np.uint8)), r"no label for 255\..*--background 0,255"),
    "label of 0, which lies in no segment": (maps(labels={ID: {"0": "sky", "1": "a plane", "2": "a dog"}}), r"calls the value 0 'sky', but 0 lies in no segment unless you say so: --background none"),
    "image without labels": (maps(labels={OTHER: BOTH}), r"has no labels for the image '2007_000033' \(it has them for 1 images, such as '2007_000042'\)"),
    "labels of an image twice": (maps(labels={ID: BOTH, f"{ID}.jpg": BOTH}), r"labels for '2007_000033' stand there twice"),
    "key twice in the labels": (maps(labels=f'{{"{ID}": {{"1": "a", "1": "b"}}}}'), r"the key '1' stands there twice"),
    "labels that are no JSON": (maps(labels="{"), r"not readable as JSON"),
    "labels in UTF-16": (maps(labels=json.dumps(NAMED).encode("utf-16")), r"the text is UTF-16 \(as > in Windows PowerShell writes\)\. Save it as UTF-8"),
    "labels in Latin-1": (maps(labels="1,caf\xe9\n".encode("latin-1"), labels_name="l.csv"), r"line 1 is not UTF-8 \(byte 0xe9; Latin-1 or Windows-1252\?\)"),
    "labels with a key that is no number": (maps(labels={ID: {"one": "a plane"}}), r"the key 'one' is no whole number"),
    "labels that are numbers": (maps(labels={ID: {"1": 5, "2": "b"}}), r"value 1: expected a label, a text; found 5"),
    "labels of no known form": (maps(labels=5), r"Expected \{image id: \{value: label\}\}"),
    "labels in a file of another kind": (maps(labels=b"x", labels_name="l.xlsx"), r"expected a file that ends in \.json, \.csv"),
    "no such labels": (maps(labels="pas21"), r"no such file, and no class list of that name\. Class lists: pas20"),
    "CSV without a label column": (maps(labels="image_id,value\na,1\n", labels_name="l.csv"), r"expected the columns image_id, value and label"),
    "CSV with two labels of one value": (maps(labels="value,label\n1,a\n1,b\n", labels_name="l.csv"), r"row 1: the value 1 has two labels, 'a' and 'b'"),
    "CSV with a value that is no number": (maps(labels="value,label\nx,a\n", labels_name="l.csv"), r"row 0, value: expected a whole number, found 'x'"),
    "CSV with an empty label": (maps(labels="value,label\n1,\n", labels_name="l.csv"), r"row 0, label: expected a label, found nothing"),
    "CSV with a cell too many": (maps(labels="value,label\n1,a,b\n", labels_name="l.csv"), r"a row has more cells than the header has names"),
    "several tags without a word": (maps(labels={ID: [["a plane", "jet"], "a dog"]}), r"2 tags for one segment.*zgbench convert --tags"),
    "label with a line break": (maps(labels={ID: ["a\nplane", "b"]}), r"control character U\+000A"),
    "empty label": (maps(labels={ID: ["", "b"]}), r"found an empty text"),
    "label of 201 characters": (maps(labels={ID: ["x" * 201, "b"]}), r"found 201 characters"),
    "--first with labels that say the values": (maps(first=0), r"says the values itself\. Leave it out"),
    ".npy of objects": (maps(npy(np.array([{}])), name=f"{ID}.npy"), r"holds object; expected whole numbers"),
    ".npy of scores": (maps(MAP / 3, name=f"{ID}.npy"), r"no whole numbers \(from 0 to 0\.666667\)\. Save class ids"),
    ".npy of logits [classes, h, w]": (maps(np.zeros((21, 4, 6), np.float32), name=f"{ID}.npy"), r"expected a label map \[h, w\], found the shape \(21, 4, 6\)"),
    ".npy of true and false": (maps(MAP > 0, name=f"{ID}.npy"), r"holds true and false"),
    ".npy that is cut off": (maps(npy(MAP)[:-3], name=f"{ID}.npy"), r"cut off \(21 of 24 bytes\)"),
    ".npy that claims to be huge": (maps(npy(MAP).replace(b"(4, 6), }        ", b"(400000, 600000)}"), name=f"{ID}.npy"), r"shape \(400000, 600000\), larger than any label map"),
    ".npy that is a pickle": (maps(pickle.dumps([1]), name=f"{ID}.npy"), r"a pickle, which is not read: it could run code"),
    ".npy that is something else": (maps(b"hello", name=f"{ID}.npy"), r"not a readable \.npy file"),
    ".npz with several arrays": (maps(zipped(**{"a.npy": npy(MAP), "b.npy": npy(MAP)}), name=f"{ID}.npz"), r"expected one array, the label map; found \['a', 'b'\]"),
    ".npz that is no archive": (maps(b"PK", name=f"{ID}.npz"), r"not a readable \.npz file"),
    "TIFF in colour": (maps(tiff(COLOURED), name=f"{ID}.tif"), r"expected one channel of 8, 16 or 32 bits, found mode RGB"),
    "TIFF with two pages": (maps(tiff(MAP, save_all=True, append_images=[Image.fromarray(MAP)]), name=f"{ID}.tif"), r"2 pages; expected one label map"),
    "TIFF that is none": (maps(b"II*\0", name=f"{ID}.tif"), r"not a readable TIFF"),
    "legend that lacks a colour": (legend(COLOURED, {"a plane": [128, 0, 0]}), r"1 colours that the legend lacks: \(64, 0, 128\) \(12 pixels\)"),
    "legend with one colour for two labels": (legend(COLOURED, {"a": [128, 0, 0], "b": [128, 0, 0]}), r"the colour \(128, 0, 0\) stands for 'a' and for 'b'"),
    "legend with a colour that is none": (legend(COLOURED, {"a": [128, 0]}), r"expected a colour, three whole numbers 0–255 or #rrggbb, found \[128, 0\]"),
    "legend without colours": (legend(COLOURED, {}), r"holds no colours"),
    "no such legend": (maps(legend="none.json"), r"--legend none\.json: there is no such file"),
    "segments_info: an id twice": (panoptic([*INFO, {"id": 7, "label": "a bird"}]), r"segments_info\[2\]: the id 7 stands there twice, with the labels 'a plane' and 'a bird'"),
    "segments_info: id 0": (panoptic([{"id": 0, "label": "a"}, *INFO]), r"segments_info\[0\]: the id 0 is black, which lies in no segment\. Number segments from 1"),
    "segments_info: no id": (panoptic([{"label": "a"}]), r"segments_info\[0\]: expected an id, a whole number"),
    "segments_info: an id that is a text": (panoptic([{"id": "7", "label": "a"}]), r"expected an id, a whole number; found '7'"),
    "segments_info: an id that is no colour": (panoptic([{"id": 1 << 24, "label": "a"}]), r"the id 16777216 is no colour"),
    "segments_info: an id is missing": (panoptic(INFO[:1]), r"holds the ids 70000, which segments_info lacks \(it has 7\)\. Black \(0\)"),
    "segments_info: neither label nor category": (panoptic([{"id": 7}, {"id": 70_000}]), r"expected a label \(a text\), or a category_id whose name stands under categories; found the keys \['id'\]"),
    "segments_info: a category without a name": (panoptic([{"id": 7, "category_id": 1}, {"id": 70_000, "category_id": 5}], categories=CATEGORIES), r"category_id: 5 has no name in categories of panoptic\.json, which has 1, 12"),
    "segments_info: categories are not there": (panoptic([{"id": 7, "category_id": 1}, {"id": 70_000, "category_id": 5}]), r"category_id: 1 has no name in categories of panoptic\.json, which is not there"),
    "categories: an id twice": (panoptic(categories=[*CATEGORIES, {"id": 1, "name": "b"}]), r"categories\[2\]: the id 1 stands there twice \('a plane', 'b'\)"),
    "panoptic PNG with red and blue exchanged": (panoptic(picture=RGB[..., ::-1].copy()), r"With red and blue exchanged they fit: OpenCV writes BGR"),
    "panoptic PNG with transparency": (panoptic(picture=png(np.dstack([RGB, MAP]), 6, 8)), r"RGB with transparent pixels\. Panoptic PNGs hold id = R"),
    "panoptic PNG is not there": (panoptic(annotation={"file_name": f"{OTHER}.png", "segments_info": INFO}), r"there is no '2007_000042\.png' in"),
    "panoptic file_name with a folder": (panoptic(annotation={"file_name": f"../{ID}.png", "segments_info": INFO}), r"expected a bare file name"),
    "panoptic: an option of no use": (panoptic(overlap="order"), r"a COCO-panoptic folder has no use for --overlap"),
    "COCO results: a category without a name": (coco(TWO), r"results\[0\]\.category_id: 1 has no name: there are no categories\. Give --labels FILE"),
    "COCO results: an image of no name": (coco([{**TWO[0], "image_id": 17}], {"categories": CATEGORIES}), r"results\[0\]\.image_id: 17 is no image of the data set.*--annotations"),
    "COCO results: boxes alone": (coco([{"image_id": ID, "category_id": 1, "bbox": [0, 0, 1, 1]}], {"categories": CATEGORIES}), r"expected a segmentation, found the keys .*Boxes alone are no masks"),
    "COCO results: masks overlap": (coco(OVERLAPPING, {"categories": CATEGORIES}), r"12 pixels lie in more than one of the 2 masks \(1 pair; most in masks 0 and 1: 12\).*zgbench convert --overlap"),
    "COCO results: bad run lengths": (coco([result({"size": [4, 6], "counts": "0~0"})], {"categories": CATEGORIES}), r"counts: bad run lengths, character 1 is b'~'"),
    "COCO results: run lengths of another size": (coco([result({"size": [4, 6], "counts": [0, 10]})], {"categories": CATEGORIES}), r"the runs sum to 10, expected 4 × 6 = 24"),
    "COCO results: negative run lengths": (coco([result({"size": [4, 6], "counts": [-1, 25]})], {"categories": CATEGORIES}), r"expected run lengths, whole numbers ≥ 0, found -1"),
    "COCO results: a giant size": (coco([result({"size": [10**6, 10**6], "counts": [10**12]})], {"categories": CATEGORIES}), r"expected sides of 1–65535"),
    "COCO results: polygons without a size": (coco([result(POLYGONS)], {"categories": CATEGORIES}), r"polygons do not say the image's size"),
    "COCO annotations: a polygon of two points": (coco({**BESIDE, "annotations": [{**result([[0, 0, 1, 1]]), "image_id": 9}]}), r"expected at least three points"),
    "COCO annotations: a point that is no number": (coco({**BESIDE, "annotations": [{**result([[0, 0, 1, 1, None, 2]]), "image_id": 9}]}), r"expected coordinates in pixels, found None"),
    "COCO annotations: height and width exchanged": (coco({**BESIDE, "annotations": [{**result(rle_of(MAP.T == 1)), "image_id": 9}]}), r"6 × 4, but the image is 4 × 6 \(height × width\)\. Height comes first"),
    "COCO panoptic JSON alone": (coco({"annotations": [{"file_name": "a.png", "segments_info": []}]}), r"a panoptic file; its masks lie in PNGs\. Give the folder"),
    "COCO: an empty mask": (coco([result(rle_of(MAP > 9))], {"categories": CATEGORIES}), r"segment 0 has no pixel\. Leave it out"),
    "SAM's masks without labels": (sam([{"segmentation": rle_of(MAP == 1), "area": 8}]), r"no label beside the mask .*Give --labels FILE"),
    "SAM's masks, too few labels": (sam([{"segmentation": rle_of(MAP == 1)}, {"segmentation": rle_of(MAP == 2)}], {ID: ["a"]}), r"1 labels for '2007_000033', which has 2 masks"),
    "SAM's masks of two sizes": (sam([{"segmentation": rle_of(MAP == 1)}, {"segmentation": rle_of(MAP.T == 2)}], {ID: BOTH}), r"have different sizes, \(4, 6\) and \(6, 4\)"),
    "--resize without the data": (maps(resize="nearest"), r"--resize needs the truth's sizes: give --data DIR"),
    "target of another kind": (lambda folder: {**maps()(folder), "target": folder / "x.txt"}, r"expected a name that ends in \.json"),
    "no name": (lambda folder: {**maps()(folder), "name": None}, r"give --name \(of the method\) and --dataset"),
    "label of 0 where classes count from 1": (maps(CLASSES, labels="pas20", background=()), r"no label for 0\. With classes from 1, 0 lies in no segment: leave --background out"),
    "class ids of Cityscapes counted from 0": (maps(ZERO, labels="cityscapes19", background=255), r"\(7 = road\); --first 0 counts them in order \(0 = road\), as models do"),
    "labels without any": (maps(labels={}), r"holds no labels"),
    "labels: categories that are no list": (maps(labels={"categories": 5}), r"categories: expected a list of categories, found 5"),
    "labels: a category without a name": (maps(labels={"categories": [{"id": 1}]}), r"categories\[0\]: expected an id \(a whole number\) and a name"),
    "labels of an image that are a number": (maps(labels={ID: 5}), r"'2007_000033': Expected \{image id: \{value: label\}\}.*; found 5"),
    "labels in a list that are numbers": (maps(labels=[1, 2]), r"\[0\]: expected a label, a text; found 1"),
    "labels of one value in two spellings": (maps(labels={ID: {"1": "a", "01": "b"}}), r"the value 1 stands there twice"),
    "legend that is a list": (legend(COLOURED, []), r"expected \{label: \[r, g, b\]\} or"),
    "legend in a file of another kind": (legend(COLOURED, "a plane: 128, 0, 0", "l.doc"), r"--legend .*: expected a \.json, \.csv or \.txt file"),
    "legend in a CSV with a cell too many": (legend(COLOURED, "name,r,g,b\na plane,1,2,3,4\n", "l.csv"), r"a row has more cells than the header has names"),
    "legend in a CSV without colours": (legend(COLOURED, "name,value\na plane,1\n", "l.csv"), r"expected the columns label, r, g, b \(or label and color\), found 'name, value'"),
    "legend with a colour past 255": (legend(COLOURED, {"a": [256, 0, 0]}), r"expected a colour, three whole numbers 0–255 or #rrggbb, found \[256, 0, 0\]"),
    "grey of 16 bits with a legend": (legend(png(MAP, 0, 16), "pas20"), r"expected colours of 8 bits\. Save the map as RGB"),
    "a map without colours with a legend": (legend(MAP, "pas20", map_name=f"{ID}.npy"), r"expected colours, uint8 \[h, w, 3\], found uint8 \(4, 6\)"),
    ".npz with an array that is none": (maps(zipped(**{"a.npy": b"hello"}), name=f"{ID}.npz"), r"\[a\.npy\]: not a readable \.npy file"),
    ".npz with a wrong checksum": (maps(zipped(**{"a.npy": npy(MAP)}).replace(MAP.tobytes(), bytes(24)), name=f"{ID}.npz"), r"\[a\.npy\]: not a readable \.npy file \(Bad CRC-32"),
    "segments_info that is no list": (panoptic(5), r"segments_info: expected a list, found 5"),
    "segments_info: none of the ids is in the PNG": (panoptic(picture=RGB * 0), r"holds none of the ids that segments_info names \(7, 70000\)"),
    "segments_info: ids that a grey PNG lacks": (panoptic([{"id": 3, "label": "a"}], png(MAP, 0, 8)), r"holds the ids 1, 2, which segments_info lacks \(it has 3\)"),
    "panoptic: an annotation without a file_name": (panoptic(raw=json.dumps({"annotations": [{"file_name": f"{ID}.png", "segments_info": INFO}, 5]}).encode()), r"annotations\[1\]: expected file_name and segments_info, found"),
    "panoptic: two files": (lambda folder: put(folder / "in", "other.json", {"annotations": [{"segments_info": []}]}) and panoptic()(folder), r"holds several panoptic files, other\.json, panoptic\.json\. Keep one"),
    "panoptic: labels of images for category ids": (panoptic(labels=NAMED), r"expected names of category ids \(\{id: name\}\)"),
    "COCO file without annotations": (coco({"categories": CATEGORIES}), r"expected a list of COCO results, or an object with annotations"),
    "COCO results: a number": (coco([5]), r"results\[0\]: expected an object with image_id and segmentation, found 5"),
    "COCO results: no image_id": (coco([{**TWO[0], "image_id": None}]), r"results\[0\]\.image_id: expected an image's id, found None"),
    "COCO results: a size that is none": (coco([result({"size": [4], "counts": [24]})], {"categories": CATEGORIES}), r"size: expected \[height, width\], found \[4\]"),
    "COCO results: run lengths that are none": (coco([result({"size": [4, 6], "counts": 24})], {"categories": CATEGORIES}), r"counts: expected a text or a list of whole numbers, found 24"),
    "COCO results: no polygon": (coco([result([])], {"categories": CATEGORIES}), r"an empty list of polygons\. Leave the segment out"),
    "COCO results: a segmentation that is a text": (coco([result("x")], {"categories": CATEGORIES}), r"expected run lengths .* or polygons .*, found 'x'"),
    "COCO annotations: images that are no list": (coco({"categories": CATEGORIES, "annotations": [], "images": 5}), r"images: expected a list, found 5"),
    "COCO annotations: an image without an id": (coco({"categories": CATEGORIES, "annotations": [], "images": [{"file_name": "a.jpg"}]}), r"images\[0\]: expected an object with id and file_name"),
    "COCO annotations: an image's id twice": (coco({"categories": CATEGORIES, "annotations": [], "images": BESIDE["images"] * 2}), r"images\[1\]: the id 9 stands there twice"),
    "SAM's masks: a number in place of masks": (sam({"masks": 5}), r"expected a list of masks, objects with a segmentation each"),
    "JSON that is cut off": (coco('{"images"'), r"not valid JSON: .*Expected one object"),
    "a file of another kind": (lambda folder: {"source": put(folder, "maps.zip", b"x"), "labels": "pas20"}, r"expected a submission \(\.json, \.json\.gz, \.parquet\), COCO results"),
    "--overlap of no kind": (maps(overlap="most"), r"--overlap most: expected one of error, score, order, smallest"),
    "--tags of no kind": (maps(tags="all"), r"--tags all: expected first or join"),
    "--palette of no kind": (maps(palette="rgb"), r"--palette rgb: expected auto or index"),
    "--resize of no kind": (maps(resize="bilinear"), r"--resize bilinear: expected nearest"),
}  # fmt: skip


def run(make: Make, folder: Path) -> list[str]:
    """Convert; the labels of the first image."""
    options = {"name": "m", "dataset": "pas20", "target": folder / "out/mine.json"} | make(folder)
    done = zgbench.convert(options.pop("source"), options.pop("target"), **options)
    (image,) = json.loads(done.path.read_text())["images"]
    return [segment["label"] for segment in image["segments"]]


def page() -> str:
    """docs/convert-kinds.md."""
    lines = [
        "# Kinds of input, and what becomes of each", "",
        "Made by a test (`tests/submission/kinds.py`): each of these is drawn, given to `zgbench convert`, and this is what came out.", "",
        f"{len(SOUND)} kinds that are converted:", "", "| input | labels of its segments |", "|---|---|",
    ]  # fmt: skip
    for name, (make, _) in SOUND.items():
        with tempfile.TemporaryDirectory() as folder:
            lines.append(f"| {_cell(name)} | {_cell(', '.join(map(repr, run(make, Path(folder)))))} |")
    lines += ["", f"{len(BAD)} kinds that are refused, exit status 2:", "", "| input | message |", "|---|---|"]
    for name, (make, _) in BAD.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                run(make, Path(folder))
                said = "converted"
            except zgbench.ZgbenchError as error:
                said = " ".join(str(error).replace(f"{folder}/", "").split())
            lines.append(f"| {_cell(name)} | {_cell(said)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"([|<>*_\\])", r"\\\1", text)


if __name__ == "__main__":
    print(page(), end="")
