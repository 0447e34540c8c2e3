"""SubmissionWriter on what libraries really give: segments and labels come out as they went in."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import zgbench
from tests.conftest import VOC_IDS
from tests.oracle.rle import decompress
from tests.submission.kinds import rle_of
from zgbench.submission.masks.labels import mismatch, spans

MAP = np.array([[1, 1, 0, 2, 2, 2]] * 4)
MASKS = np.stack([MAP == 1, MAP == 2])
BOTH = ["a plane", "a dog"]
NAMES = {1: "a plane", 12: "a dog"}


def written(tmp_path: Path, *given: Any, **options: Any) -> list[tuple[str, np.ndarray]]:
    """Labels and masks of one image that was added."""
    path = tmp_path / "m.json"
    with zgbench.SubmissionWriter(path, name="m", dataset="pas20", data=options.pop("data", None)) as submission:
        submission.add(VOC_IDS[0], *given, **options)
    (image,) = json.loads(path.read_text())["images"]
    return [(s["label"], decompress(s["counts"], tuple(image["size"]))) for s in image["segments"]]


def assert_both(found: list[tuple[str, np.ndarray]]) -> None:
    assert [label for label, _ in found] == BOTH
    assert (found[0][1] == MASKS[0]).all() and (found[1][1] == MASKS[1]).all()


@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32", "float16"])
def test_numpy_masks_of_any_type(kind: str, tmp_path: Path) -> None:
    assert_both(written(tmp_path, MASKS.astype(kind), BOTH))
    assert_both(written(tmp_path, list(MASKS.astype(kind)), BOTH))


def test_masks_of_0_and_255(tmp_path: Path) -> None:
    assert_both(written(tmp_path, MASKS.astype(np.uint8) * 255, BOTH))


@pytest.mark.slow
def test_torch_tensors(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for kind in (torch.bool, torch.uint8, torch.float32, torch.bfloat16, torch.float16):
        assert_both(written(tmp_path, torch.tensor(MASKS).to(kind), BOTH))
        assert_both(written(tmp_path, [torch.tensor(mask).to(kind) for mask in MASKS], BOTH))
    assert_both(written(tmp_path, torch.tensor(MASKS)[:, None], BOTH))  # [n, 1, h, w]
    assert_both(written(tmp_path, torch.tensor(MASKS).float().requires_grad_(), BOTH))
    for kind in (torch.int64, torch.int32, torch.uint8):
        assert_both(written(tmp_path, torch.tensor(MAP).to(kind), BOTH))
    assert_both(written(tmp_path, torch.tensor(MASKS).float().to_sparse(), BOTH))


def test_embeddings_of_any_type(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.numpy import load_file

    vectors = torch.arange(1, 9).reshape(2, 4).float()
    for given in (
        vectors,
        vectors.bfloat16(),
        vectors.half(),
        vectors.double().requires_grad_(),
        list(vectors),
        vectors.numpy(),
    ):
        written(tmp_path, MAP, BOTH, embeddings=given)
        assert (load_file(tmp_path / "m.safetensors")["embeddings"] == vectors.numpy()).all()


def test_jax_arrays(tmp_path: Path) -> None:
    numpy = pytest.importorskip("jax.numpy", reason="jax is not a dependency")
    assert_both(written(tmp_path, numpy.asarray(MASKS), BOTH))
    assert_both(written(tmp_path, numpy.asarray(MASKS).astype(numpy.bfloat16), BOTH))
    assert_both(written(tmp_path, numpy.asarray(MAP), BOTH, embeddings=numpy.ones((2, 3), numpy.bfloat16)))


def test_pillow_label_map(tmp_path: Path) -> None:
    from PIL import Image

    assert_both(written(tmp_path, Image.fromarray(MAP.astype(np.uint8)), BOTH))


def test_one_mask(tmp_path: Path) -> None:
    ((label, mask),) = written(tmp_path, MAP == 1, ["a plane"])
    assert label == "a plane" and (mask == MASKS[0]).all()


# what segment_anything's SamAutomaticMaskGenerator.generate gives
SAM = [{"segmentation": mask, "area": int(mask.sum()), "bbox": [0, 0, 2, 4], "predicted_iou": iou, "point_coords": [[1.0, 1.0]],
        "stability_score": 0.97, "crop_box": [0, 0, 6, 4]} for mask, iou in zip(MASKS, (0.9, 0.8), strict=True)]  # fmt: skip


def test_segment_anything(tmp_path: Path) -> None:
    assert_both(written(tmp_path, SAM, BOTH))
    coded = [item | {"segmentation": rle_of(item["segmentation"])} for item in SAM]  # output_mode="coco_rle"
    assert_both(written(tmp_path, coded, BOTH))
    coded = [item | {"segmentation": rle_of(item["segmentation"], plain=True)} for item in SAM]  # "uncompressed_rle"
    assert_both(written(tmp_path, coded, BOTH))
    whole = SAM[0] | {"segmentation": np.ones((4, 6), bool), "area": 24, "predicted_iou": 0.1}
    for overlap in ("smallest", "score"):
        assert [label for label, _ in written(tmp_path, [whole, *SAM], ["all", *BOTH], overlap=overlap)] == [
            "all",
            *BOTH,
        ]


def test_segment_anything_itself(tmp_path: Path) -> None:
    """Its own coding of masks, as ``output_mode="uncompressed_rle"`` gives it."""
    torch = pytest.importorskip("torch")
    amg = pytest.importorskip("segment_anything.utils.amg", reason="segment-anything is not a dependency")
    coded = amg.mask_to_rle_pytorch(torch.tensor(MASKS))
    assert_both(written(tmp_path, [{"segmentation": c} for c in coded], BOTH))
    assert_both(written(tmp_path, [{"segmentation": amg.rle_to_mask(c)} for c in coded], BOTH))


def test_coco_run_lengths(tmp_path: Path) -> None:
    mask = pytest.importorskip("faster_coco_eval").mask
    coded = [mask.encode(np.asfortranarray(m.astype(np.uint8))) for m in MASKS]
    assert isinstance(coded[0]["counts"], bytes)
    assert_both(written(tmp_path, coded, BOTH))
    assert_both(written(tmp_path, [c | {"counts": c["counts"].decode()} for c in coded], BOTH))


def test_supervision(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sv = pytest.importorskip("supervision", reason="supervision is not a dependency")
    boxes = np.array([[0, 0, 2, 4], [3, 0, 6, 4]], float)
    detections = sv.Detections(xyxy=boxes, mask=MASKS, class_id=np.array([1, 12]), confidence=np.array([0.9, 0.8]))
    assert_both(written(tmp_path, detections, classes=NAMES))
    assert_both(written(tmp_path, detections, BOTH))
    if hasattr(sv, "CompactMask"):
        compact = sv.CompactMask.from_dense(MASKS, boxes, (4, 6))
        packed = sv.Detections(xyxy=boxes, mask=compact, class_id=np.array([1, 12]))
        assert_both(written(tmp_path, packed, classes=NAMES))
    detections.data["class_name"] = np.array(BOTH)
    assert_both(written(tmp_path, detections))
    with pytest.raises(zgbench.UsageError, match="2 boxes and no masks"):
        written(tmp_path, sv.Detections(xyxy=boxes), BOTH)
    with pytest.raises(zgbench.UsageError, match="the image's size is not known"):
        written(tmp_path, sv.Detections.empty(), [])


def test_detectron2(tmp_path: Path) -> None:
    """``panoptic_seg`` of its models is a pair of an int32 tensor and a list of dicts; ``Instances`` has these fields."""
    torch = pytest.importorskip("torch")
    ids = torch.tensor(MAP, dtype=torch.int32)
    info = [
        {"id": 1, "isthing": True, "category_id": 1, "score": 0.9, "instance_id": 0},
        {"id": 2, "isthing": False, "category_id": 12, "area": 12},
    ]
    assert_both(written(tmp_path, (ids, info), classes=NAMES))
    assert_both(written(tmp_path, (ids, info), BOTH))
    assert_both(written(tmp_path, {"panoptic_seg": (ids, info), "sem_seg": None}, BOTH))
    instances = SimpleNamespace(
        pred_masks=torch.tensor(MASKS), pred_classes=torch.tensor([1, 12]), scores=torch.tensor([0.9, 0.8])
    )
    assert_both(written(tmp_path, instances, classes=NAMES))
    with pytest.raises(zgbench.UsageError, match="comes without segments_info"):
        written(tmp_path, (ids, None), BOTH)


def test_torchvision(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    found = {
        "masks": torch.tensor(MASKS)[:, None].float() * 0.9,
        "labels": torch.tensor([1, 12]),
        "scores": torch.tensor([0.9, 0.8]),
    }
    with pytest.raises(zgbench.UsageError, match=r"from 0 to 0\.9\)\. Threshold probabilities \(masks > 0\.5\)"):
        written(tmp_path, found, classes=NAMES)
    assert_both(written(tmp_path, found | {"masks": found["masks"] > 0.5}, classes=NAMES))


def transformers_outputs() -> Any:
    """What a MaskFormer gives for an image of 4 × 6 where query 0 is class 1 and query 1 is class 12, of 20."""
    torch = pytest.importorskip("torch")
    classes = torch.full((1, 2, 21), -20.0)
    classes[0, 0, 1] = classes[0, 1, 12] = 20.0
    masks = torch.where(torch.tensor(MASKS), 20.0, -20.0)[None]
    return SimpleNamespace(class_queries_logits=classes, masks_queries_logits=masks)


def assert_as_told(given: Any, found: list[tuple[str, np.ndarray]]) -> None:
    """Labels and masks are those of the object itself."""
    assert len(found) == 2
    for info, (label, mask) in zip(given["segments_info"], found, strict=True):
        assert label == NAMES[info["label_id"]]
        assert (mask == (given["segmentation"].numpy() == info["id"])).all()


@pytest.mark.slow
def test_transformers(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers")
        processor = transformers.MaskFormerImageProcessor()
    outputs, sizes = transformers_outputs(), [(4, 6)]
    id2label = {k: f"class {k}" for k in range(20)} | NAMES
    (panoptic,) = processor.post_process_panoptic_segmentation(outputs, target_sizes=sizes, label_ids_to_fuse=set())
    assert_as_told(panoptic, written(tmp_path, panoptic, classes=id2label))
    (instances,) = processor.post_process_instance_segmentation(outputs, target_sizes=sizes, threshold=0.01)
    assert (
        sorted(s["id"] for s in instances["segments_info"]) == [0, 1] and instances["segmentation"].min() == -1
    )  # its numbering
    assert_as_told(instances, written(tmp_path, instances, classes=id2label))
    (maps,) = processor.post_process_instance_segmentation(
        outputs, target_sizes=sizes, threshold=0.01, return_binary_maps=True
    )
    assert maps["segmentation"].ndim == 3
    assert_as_told(instances, written(tmp_path, maps, classes=id2label))
    (coded,) = processor.post_process_instance_segmentation(
        outputs, target_sizes=sizes, threshold=0.01, return_coco_annotation=True
    )
    with pytest.raises(zgbench.UsageError, match="return_coco_annotation"):
        written(tmp_path, coded, classes=id2label)
    (semantic,) = processor.post_process_semantic_segmentation(outputs, target_sizes=sizes)
    found = written(tmp_path, semantic, classes=id2label, background=None)
    assert {"a plane", "a dog"} <= {label for label, _ in found}
    assert sum(int(mask.sum()) for _, mask in found) == 24


def test_a_class_map_counted_from_0(tmp_path: Path) -> None:
    counted = np.where(MAP == 0, 255, MAP - 1)
    names = ["a plane", "a dog"]
    with pytest.raises(
        zgbench.UsageError, match=r"the classes call 0 'a plane'\. Say whether that is a class \(background=None\)"
    ):
        written(tmp_path, counted, classes=names)
    assert_both(written(tmp_path, counted, classes=names, background=255))
    assert_both(written(tmp_path, counted, classes={0: "a plane", 1: "a dog"}, background=[255]))


def bad(**options: Any) -> dict[str, Any]:
    return options


class Detections:
    """With the fields of supervision's class of this name."""

    def __init__(self, mask: Any, class_id: Any, names: Any = None) -> None:
        self.mask, self.class_id = mask, np.array(class_id)
        self.confidence = np.linspace(0.9, 0.8, len(class_id))
        self.data = {} if names is None else {"class_name": np.array(names)}

    def __len__(self) -> int:
        return len(self.class_id)


class Broken:
    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise RuntimeError("on another device")


def test_detections_by_their_fields(tmp_path: Path) -> None:
    """Labels that are given, names of the class ids, or the names that were brought along; scores decide on overlaps."""
    assert_both(written(tmp_path, Detections(MASKS, [1, 12]), BOTH))
    assert_both(written(tmp_path, Detections(MASKS, [1, 12]), classes=NAMES))
    assert_both(written(tmp_path, Detections(MASKS, [1, 12], BOTH)))
    over = Detections(np.stack([MAP > 0, MAP == 2]), [1, 12])  # the first is surer
    with pytest.warns(UserWarning, match="1 segments had no pixel left"):
        ((label, mask),) = written(tmp_path, over, BOTH, overlap="score")
    assert label == "a plane" and (mask == (MAP > 0)).all()
    assert_both(written(tmp_path, over, BOTH, overlap="score", scores=[0.1, 0.2]))  # what is given counts before


def test_labels_that_dictionaries_bring_along(tmp_path: Path) -> None:
    named = [item | {"label": label} for item, label in zip(SAM, BOTH, strict=True)]
    assert_both(written(tmp_path, named))
    ((label, mask),) = written(tmp_path, rle_of(MASKS[0]), ["a plane"])  # one, without a list
    assert label == "a plane" and (mask == MASKS[0]).all()


def test_binary_maps_and_segments_that_vanished(tmp_path: Path) -> None:
    """transformers' ``return_binary_maps``; and ids of segments_info that a resized map no longer holds."""
    info = [{"id": 1, "label": "a plane"}, {"id": 2, "label": "a dog"}]
    assert_both(written(tmp_path, (MASKS, info)))
    vanished = [info[0], {"id": 7, "label": "a bird"}, info[1]]
    assert_both(written(tmp_path, (MAP, vanished)))
    assert_both(written(tmp_path, (MAP, vanished), scores=[0.1, 0.2, 0.3]))


def test_an_array_on_a_device(tmp_path: Path) -> None:
    on_device = type("ndarray", (), {"__module__": "cupy._core", "get": lambda _: MAP})()
    assert_both(written(tmp_path, on_device, BOTH))
    assert_both(written(tmp_path, MAP, np.array(BOTH)))  # labels in an array


MISTAKES: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "one text for all": ((MAP, "ab"), {}, r"labels are one text, 'ab'\. Give a list"),
    "a set": ((MAP, {"a", "b"}), {}, "labels are a set, which has no order"),
    "a generator": ((MAP, (x for x in BOTH)), {}, "labels are generator"),
    "keys that are texts": ((MAP, {"1": "a", "2": "b"}), {}, r"the key '1', a str; expected the map's values.*int\(k\)"),
    "mixed keys": ((MAP, {1: "a", "2": "b"}), {}, "the key '2', a str"),
    "a key that is true": ((MAP, {True: "a", 2: "b"}), {}, "the key True, a bool"),
    "a label that is none": ((MAP, ["a", None]), {}, "label 1: expected a text as label, found NoneType None"),
    "a label that is a number": ((MAP, [1, 2]), {}, "label 0: expected a text as label, found int 1"),
    "several tags": ((MAP, [["a", "b"], "c"]), {}, r"2 tags for one segment.*tags=\"first\" or \"join\""),
    "no labels": ((MAP,), {}, "give labels, or classes"),
    "labels and classes": ((MAP, BOTH), bad(classes=BOTH), "not both"),
    "a label missing": ((np.arange(14).reshape(2, 7) + 1, dict.fromkeys(range(1, 14), "a")), {}, r"labels are given for 1–13; the map holds 1–14; no label for 14"),
    "a value missing": ((np.delete(np.arange(1, 15), 6)[None], dict.fromkeys(range(1, 15), "a")), {}, r"labels are given for 1–14; the map holds 13 of them; 7 is missing"),
    "labels counted from 0": ((MAP, {0: "a", 1: "b"}), {}, r"The labels count from 0, the map's segments from 1"),
    "a border": ((np.where(MAP == 0, 255, MAP), BOTH), {}, r"no label for 255.*background=\(0, 255\)"),
    "negative values": ((MAP - 1, {0: "a", 1: "b"}), {}, r"background=-1"),
    "floats as map": ((MAP / 2, BOTH), {}, "expected an integer label map"),
    "logits": ((MASKS * 3.0 - 1, BOTH), {}, r"from -1 to 2\)\. Threshold"),
    "masks last": ((MASKS.transpose(1, 2, 0).astype(np.uint8), BOTH), {}, r"masks\.transpose\(2, 0, 1\)"),
    "a batch of one map": ((MAP[None], BOTH), {}, r"looks like a label map with an axis for the batch; give segments\[0\]"),
    "too few labels": ((MASKS, ["a"]), {}, "2 masks want a list of 2 labels, got 1"),
    "a mapping for masks": ((MASKS, {1: "a", 2: "b"}), {}, "want a list of 2 labels, not a mapping"),
    "masks of two shapes": (([MASKS[0], MASKS[1].T], BOTH), {}, r"arrays of different shapes, \(4, 6\) and \(6, 4\)"),
    "no array": ((object(), BOTH), {}, "expected numbers, got object"),
    "text as array": ((np.array(["a"]), BOTH), {}, "expected numbers, got ndarray"),
    "an unknown dictionary": (({"seg": MAP}, BOTH), {}, r"the keys \['seg'\] is no kind of segments"),
    "an id twice": (((MAP, [{"id": 1}, {"id": 1}]), BOTH), {}, "segments_info names the id 1 2 times"),
    "an id that is missing": (((MAP, [{"id": 1}]), ["a"]), {}, r"the map holds the ids 2, which segments_info lacks \(it has 1\)"),
    "results of a batch": (([{"segmentation": MAP, "segments_info": []}], BOTH), {}, r"one an image of the batch\. Give one of them: results\[0\]"),
    "no masks, but labels": (([], BOTH), {}, "no masks, but 2 labels"),
    "a class without a name": ((MAP, None), bad(classes={1: "a"}), "no class has the id 2; the classes have 1"),
    "too few scores": ((MASKS, BOTH), bad(scores=[1.0]), "expected 2 scores"),
    "a score that is NaN": ((MASKS, BOTH), bad(scores=[1.0, float("nan")]), "with NaN"),
    "an unknown overlap": ((MASKS, BOTH), bad(overlap="max"), "expected one of error, score, order, smallest"),
    "resize without the data": ((MASKS, BOTH), bad(resize=True), r"resize needs the truth's sizes\. Give SubmissionWriter\(…, data=DIR\)"),
    "embeddings of another number": ((MAP, BOTH), bad(embeddings=np.ones((3, 4))), r"expected finite embeddings \[2, d\], got \(3, 4\)"),
    "embeddings past float32": ((MAP, BOTH), bad(embeddings=np.full((2, 4), 1e300)), "with NaN or infinity"),
    "polygons without a size": (([{"segmentation": [[0, 0, 2, 0, 2, 4]]}], ["a"]), {}, "polygons do not say the image's size"),
    "a batch of batches": ((np.zeros((1, 2, 3, 4, 6)), BOTH), {}, r"expected an integer label map \[h, w\] or masks \[n, h, w\], got float64 \(1, 2, 3, 4, 6\)"),
    "masks without height": ((SimpleNamespace(pred_masks=np.ones(3)), ["a"]), {}, r"expected masks \[n, h, w\], got shape \(3,\)"),
    "a list of labels where 0 is a segment": ((MAP, ["none", *BOTH]), bad(background=None), "with background=None give labels as a mapping from the map's values"),
    "a background that is a text": ((MAP, {1: "a", 2: "b"}), bad(background="sky"), "background='sky': expected a value of the map, several, or None"),
    "classes for masks without class ids": ((MASKS,), bad(classes=NAMES), "classes name class ids, and these masks have none"),
    "masks that bring no labels": ((MASKS,), {}, r"the masks bring no labels along\. Give labels \(a text for each\)\.$"),
    "masks that bring class ids alone": (({"masks": MASKS, "labels": [1, 12]},), {}, r"Give labels \(a text for each\) or classes \(names of their class ids\)"),
    "a dictionary without a mask": (([*SAM, {"bbox": [0, 0, 1, 1]}], [*BOTH, "c"]), {}, r"segments\[2\]: expected a segmentation \(a mask or run lengths\), found the keys \['bbox'\]"),
    "dictionaries of two shapes": (([SAM[0], {"segmentation": MASKS[1].T}], BOTH), {}, r"masks of different shapes, \(4, 6\) and \(6, 4\)"),
    "boxes without masks": ((Detections(None, [1, 12]), BOTH), {}, "the Detections have 2 boxes and no masks"),
    "no detections": ((Detections(None, []), []), {}, r"no segments, so the image's size is not known\. Add an all-zero map"),
    "binary maps of another number": (((MASKS, [{"id": 1}]), ["a"]), {}, "2 masks, but segments_info has 1 entries"),
    "a map of fractions": (((MAP / 2, [{"id": 1}]), ["a"]), {}, r"expected a map of segment ids \[h, w\], got float64"),
    "an id that is true": (((MAP, [{"id": True}]), ["a"]), {}, r"segments_info\[0\]\.id: expected a whole number, found True"),
    "an array that cannot be read": ((Broken(), BOTH), {}, r"Broken cannot be read as an array \(on another device\)"),
    "records": ((np.zeros((4, 6), dtype=[("a", int), ("b", int)]), BOTH), {}, "are no numbers"),
    "a segmentation that is a dictionary": (([{"segmentation": {"a": 1}}], ["a"]), {}, r"expected run lengths .* or polygons"),
    "an empty polygon": (([{"segmentation": []}], ["a"]), {}, r"an empty list of polygons\. Leave the segment out"),
    "bad run lengths": (([{"size": [4, 6], "counts": "0~"}], ["a"]), {}, "bad run lengths"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_where_it_is_made(mistake: str, tmp_path: Path) -> None:
    given, options, says = MISTAKES[mistake]
    with pytest.raises((zgbench.UsageError, zgbench.InputError), match=says):
        written(tmp_path, *given, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("image_id", "says"),
    [
        (f"{VOC_IDS[0]}.jpg", rf"pas20 has no such image.*Write '{VOC_IDS[0]}'"),
        (f"JPEGImages/{VOC_IDS[0]}.png", rf"Write '{VOC_IDS[0]}'"),
        ("000000000139", r"Its ids look like '2007_000033'"),
        (139, "expected an image id, a text, got int 139"),
        (Path(VOC_IDS[0]), "expected an image id, a text"),
    ],
)
def test_ids_are_checked_when_added(image_id: Any, says: str, tmp_path: Path) -> None:
    with (
        pytest.raises(zgbench.UsageError, match=says),
        zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="pas20") as submission,
    ):
        submission.add(image_id, MAP, BOTH)


def test_a_forgotten_with(tmp_path: Path) -> None:
    submission = zgbench.SubmissionWriter(tmp_path / "m.json", name="m", dataset="pas20")
    with pytest.raises(zgbench.UsageError, match=r"the submission is not open\. Write: with SubmissionWriter"):
        submission.add(VOC_IDS[0], MAP, BOTH)
    with submission:
        submission.add(VOC_IDS[0], MAP, BOTH)
    with pytest.raises(zgbench.UsageError, match="is not open"):
        submission.add(VOC_IDS[1], MAP, BOTH)


def test_sizes_where_the_data_is_at_hand(tmp_path: Path, tiny_voc: Path) -> None:
    big = np.repeat(np.repeat(MAP, 2, 0), 3, 1)
    for given, says in ((big, r"the masks are 8 × 18, the image is 4 × 6 \(height × width\)\. Masks of another size can be resized: resize=True"),
                        (MAP.T, "They lie transposed: height comes first")):  # fmt: skip
        with pytest.raises(zgbench.UsageError, match=says):
            written(tmp_path, given, BOTH, data=tiny_voc)
    with pytest.warns(
        UserWarning,
        match=rf"1 images were resized to the truth's size, nearest neighbour \({VOC_IDS[0]}: 8 × 18 → 4 × 6\)",
    ):
        assert_both(written(tmp_path, big, BOTH, data=tiny_voc, resize=True))
    assert_both(written(tmp_path, MAP, BOTH, data=tiny_voc, resize=True))
    assert written(tmp_path, [], [], data=tiny_voc) == []  # no masks: the size is the truth's


def test_segments_that_vanish_are_told_with_their_embeddings(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    with pytest.warns(UserWarning, match="1 segments had no pixel left"):
        found = written(
            tmp_path, np.stack([np.ones((4, 6), bool), MASKS[0]]), BOTH, overlap="order", embeddings=[[1.0], [2.0]]
        )
    assert [label for label, _ in found] == BOTH[:1]
    assert load_file(tmp_path / "m.safetensors")["embeddings"].tolist() == [[1.0]]


def test_numbers_as_people_write_them() -> None:
    assert spans([1, 2, 3, 5, 7, 8, 7]) == "1–3, 5, 7, 8"
    assert spans([]) == "none"
    assert spans(range(0, 4000, 2)).endswith("… (2000 values up to 3998)")
    assert mismatch([1, 2], [1, 2]) is None
