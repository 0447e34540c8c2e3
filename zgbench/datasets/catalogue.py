"""The data sets that zgbench knows: where their files lie, which archive holds them, which images are official."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zgbench.datasets import vocabulary
from zgbench.datasets.vocabulary import Vocabulary
from zgbench.errors import UsageError


@dataclass(frozen=True)
class Part:
    """A folder (with a file suffix) or a file of a data set, and the archive that holds it."""

    path: str
    suffix: str
    archive: str
    needed_for: str


@dataclass(frozen=True)
class Spec:
    """What is fixed about a data set.

    Attributes:
        key: as on the command line.
        split_list: image list in the data folder; images of the official split that it leaves out are not scored.
        truths: where the truth may lie, best first.
        photos: where the JPEGs lie.
        released_drops_background: whether the released code leaves background out for classes that the truth lacks.
        unlabelled: whether there are pixels outside the classes that are not void; without, a background rule has nothing
            to choose, and only ``released``, which counts void pixels too, stands in a signature.
    """

    key: str
    title: str
    split: str
    vocabulary: Callable[[], Vocabulary]
    official_file: str
    split_list: str
    truths: tuple[Part, ...]
    photos: Part
    released_drops_background: bool = False
    unlabelled: bool = True

    def official_ids(self) -> tuple[str, ...]:
        """The official split, in its published order."""
        return vocabulary.official_ids(self.official_file)


_VOC12 = "VOCtrainval_11-May-2012.tar (PASCAL VOC 2012)"
_VOC10 = "VOCtrainval_03-May-2010.tar (PASCAL VOC 2010)"
_CONTEXT = "trainval.tar.gz (PASCAL Context, full annotations), unpacked inside pascal-context/"
_CONVERTED = "made from trainval_merged.json (PASCAL Context) by the usual converter"

_CONTEXT_PHOTOS = Part("VOCdevkit/VOC2010/JPEGImages", ".jpg", _VOC10, "ST (photos)")
_CONTEXT_MAT = Part("pascal-context/trainval", ".mat", _CONTEXT, "truth")
_CONTEXT_LIST = "VOCdevkit/VOC2010/ImageSets/SegmentationContext/val.txt"

SPECS: dict[str, Spec] = {
    spec.key: spec
    for spec in (
        Spec(
            key="pas20",
            title="PASCAL VOC 2012, 20 classes",
            split="val",
            vocabulary=vocabulary.pas20,
            official_file="voc2012_val.txt",
            split_list="VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt",
            truths=(Part("VOCdevkit/VOC2012/SegmentationClass", ".png", _VOC12, "truth"),),
            photos=Part("VOCdevkit/VOC2012/JPEGImages", ".jpg", _VOC12, "ST (photos)"),
            released_drops_background=True,
        ),
        Spec(
            key="pc59",
            title="PASCAL Context, 59 frequent classes",
            split="val",
            vocabulary=vocabulary.pc59,
            official_file="pascal_context_val.txt",
            split_list=_CONTEXT_LIST,
            truths=(
                Part("VOCdevkit/VOC2010/SegmentationClassContext", ".png", _CONVERTED, "truth"),
                _CONTEXT_MAT,
            ),
            photos=_CONTEXT_PHOTOS,
        ),
        Spec(
            key="pc459",
            title="PASCAL Context, 459 classes",
            split="val",
            vocabulary=vocabulary.pc459,
            official_file="pascal_context_val.txt",
            split_list=_CONTEXT_LIST,
            truths=(_CONTEXT_MAT,),
            photos=_CONTEXT_PHOTOS,
            unlabelled=False,
        ),
    )
}

KEYS = ("pas20", "pc59", "pc459", "mini")


def spec_of(key: str) -> Spec:
    """The spec of a data set that is read from files.

    Raises:
        UsageError: no such data set.
    """
    if key not in SPECS:
        raise UsageError(f"there is no data set {key!r}. Known: {', '.join(KEYS)}.")
    return SPECS[key]
