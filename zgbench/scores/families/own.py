"""The benchmark's own scores, worked out in every evaluation: :mod:`zgbench.scores.metrics` and
:mod:`zgbench.scores.text_generation` have their arithmetic.
"""

from __future__ import annotations

from zgbench.scores.families.definition import ScoreDefinition

_PAPER = "Rewatbowornwong et al., ICCV 2023, section 5"


def _recall(key: str, title: str, definition: str) -> ScoreDefinition:
    return ScoreDefinition(
        f"recall.{key}", title, ("counts", "reassignment"), definition, _PAPER,
        "undefined without a truth segment", default=True,
    )  # fmt: skip


DEFINITIONS = (
    ScoreDefinition(
        "iou_image", "mIoU image", ("counts", "reassignment"),
        "mean IoU over the classes in truth ∪ kept prediction of an image, then over images", _PAPER,
        "an image without a class is left out; undefined where all are", default=True,
    ),
    ScoreDefinition(
        "iou_dataset", "mIoU dataset", ("counts", "reassignment"),
        "summed intersections over summed unions of each class, then the mean over classes",
        "PASCAL VOC (Everingham et al., IJCV 2010), the usual mIoU",
        "a class without a union is left out; undefined where all are", default=True,
    ),
    *(
        _recall(key, f"Recall {key[1:]}", f"share of truth segments (one class in one image) with IoU > {key}")
        for key in ("0.25", "0.5", "0.75")
    ),
    _recall("auc", "Recall area", "area under recall over τ_IoU from 0 to 1: the mean IoU of the truth segments"),
    ScoreDefinition(
        "tgq", "TGQ", ("label vectors", "track oracle"),
        "share of truth segments whose label has a cosine > τ (0.5) with the true class name", _PAPER,
        "a truth segment without a label is missed; undefined without a truth segment", scope="oracle", default=True,
    ),
)  # fmt: skip
