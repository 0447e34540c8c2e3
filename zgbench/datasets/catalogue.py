"""The data sets that are built in: where their files lie, which archive holds them, which images are official."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zgbench.datasets import vocabulary
from zgbench.datasets.truth import VOID
from zgbench.datasets.truth_files import Codes, TruthFiles
from zgbench.datasets.vocabulary import PngOrder, Vocabulary


@dataclass(frozen=True)
class Photos:
    """Photos as they lie in a data folder.

    Attributes:
        pattern: see :class:`zgbench.datasets.located.Located`.
        archive: which archive holds them.
    """

    pattern: str
    archive: str = ""


@dataclass(frozen=True)
class Spec:
    """What is fixed about a data set.

    Attributes:
        key: as on the command line and in submissions.
        vocabulary: the classes.
        official_ids: the official split, in its published order.
        truths: where the truth may lie and how it is written, best first.
        photos: where the photos may lie, best first.
        split_list: image list in the data folder; images of the official split that it leaves out are not scored.
        released_drops_background: whether the released code leaves background out for classes that the truth lacks.
        unlabelled: whether there are pixels outside the classes that are not void; without, a background rule has nothing
            to choose, and only ``released``, which counts void pixels too, stands in a signature.
    """

    key: str
    title: str
    split: str
    vocabulary: Callable[[], Vocabulary]
    official_ids: Callable[[], tuple[str, ...]]
    truths: Callable[[], tuple[TruthFiles, ...]]
    photos: tuple[Photos, ...]
    split_list: str | None = None
    released_drops_background: bool = False
    unlabelled: bool = True


_VOC12 = "VOCtrainval_11-May-2012.tar (PASCAL VOC 2012)"
_VOC10 = "VOCtrainval_03-May-2010.tar (PASCAL VOC 2010)"
_CONTEXT = "trainval.tar.gz (PASCAL Context, full annotations), unpacked inside pascal-context/"
_CONVERTED = (
    "made from trainval_merged.json (PASCAL Context) by tools/dataset_converters/pascal_context.py of mmsegmentation"
)
_SCENES = "ADEChallengeData2016.zip (SceneParse150)"
_ADE = "ADE20K_2021_17_01.zip (full ADE20K)"
_COCO_PHOTOS = "val2017.zip (COCO), unpacked inside coco/"
_COCO_PANOPTIC = (
    "panoptic_annotations_trainval2017.zip (COCO), unpacked inside coco/, and the panoptic_val2017.zip in it, inside "
    "coco/annotations/"
)
_COCO_STUFF = "stuffthingmaps_trainval2017.zip (COCO-Stuff), unpacked inside coco/stuffthingmaps/"
_CITY_TRUTH = "gtFine_trainvaltest.zip (Cityscapes), unpacked inside cityscapes/"
_CITY_PHOTOS = "leftImg8bit_trainvaltest.zip (Cityscapes), unpacked inside cityscapes/"

_COCO_PLACES = tuple(Photos(f"{place}val2017/{{id}}.jpg", _COCO_PHOTOS) for place in ("coco/", "coco/images/", ""))
_CONTEXT_PHOTOS = (Photos("VOCdevkit/VOC2010/JPEGImages/{id}.jpg", _VOC10),)
_CONTEXT_LIST = "VOCdevkit/VOC2010/ImageSets/SegmentationContext/val.txt"
_CONTEXT_MAT = "pascal-context/trainval/{id}.mat"
_ADE_OBJECTS = 3688


def _pas20() -> tuple[TruthFiles, ...]:
    codes = Codes.same(vocabulary.pas20().ids, background=(0,), void=(255,))
    return (TruthFiles("VOCdevkit/VOC2012/SegmentationClass/{id}.png", codes, archive=_VOC12),)


def pc59_png(order: PngOrder) -> Codes:
    """What the values of PC-59 PNGs mean in one of the two class orders that circulate."""
    return Codes(tuple(vocabulary.pc59_of_png(order).items()), background=(0,))


def _pc59() -> tuple[TruthFiles, ...]:
    frequent = vocabulary.pc59_of_459()
    others = tuple(i for i in range(460) if i not in frequent)  # unlabelled for PC-59
    return (
        TruthFiles("VOCdevkit/VOC2010/SegmentationClassContext/{id}.png", pc59_png("alphabetical"), archive=_CONVERTED),
        TruthFiles(_CONTEXT_MAT, Codes(tuple(frequent.items()), background=others), "mat", archive=_CONTEXT),
    )


def _pc459() -> tuple[TruthFiles, ...]:
    codes = Codes.same(vocabulary.pc459().ids, void=(0, 431))
    return (TruthFiles(_CONTEXT_MAT, codes, "mat", archive=_CONTEXT),)


def _ade150() -> tuple[TruthFiles, ...]:
    # 0 is whatever has none of the 150 classes; the challenge leaves it out
    codes = Codes.same(vocabulary.ade150().ids, void=(0,))
    return (TruthFiles("ADEChallengeData2016/annotations/validation/{id}.png", codes, archive=_SCENES),)


def _ade847() -> tuple[TruthFiles, ...]:
    classes = vocabulary.ade847_of_objects()
    others = tuple(i for i in range(_ADE_OBJECTS + 1) if i not in classes)
    codes = Codes(tuple(classes.items()), void=others)
    return (TruthFiles("ADE20K_2021_17_01/images/ADE/validation/**/{id}_seg.png", codes, "ade20k", archive=_ADE),)


def _coco133() -> tuple[TruthFiles, ...]:
    codes = Codes.same(vocabulary.coco133().ids)
    places = (
        ("coco/annotations/", "coco/annotations/"), ("coco/", "coco/annotations/"), ("annotations/", "annotations/")
    )  # fmt: skip
    return tuple(
        TruthFiles(
            f"{pictures}panoptic_val2017/{{id}}.png", codes, "panoptic", f"{beside}panoptic_val2017.json",
            archive=_COCO_PANOPTIC,
        )
        for pictures, beside in places
    )  # fmt: skip


def _cocostuff171() -> tuple[TruthFiles, ...]:
    # stored are the ids less one; 255 is unlabelled
    codes = Codes(tuple((i - 1, i) for i in vocabulary.cocostuff171().ids), void=(255,))
    places = ("coco/stuffthingmaps/", "coco/annotations/", "annotations/")
    return tuple(TruthFiles(f"{place}val2017/{{id}}.png", codes, archive=_COCO_STUFF) for place in places)


def _cityscapes19() -> tuple[TruthFiles, ...]:
    codes = Codes.same(vocabulary.cityscapes19().ids, rest=VOID)
    places = ("cityscapes/", "")
    return tuple(
        TruthFiles(f"{place}gtFine/val/*/{{id}}_gtFine_labelIds.png", codes, archive=_CITY_TRUTH) for place in places
    )


def _of(file: str) -> Callable[[], tuple[str, ...]]:
    return lambda: vocabulary.official_ids(file)


def _ade_ids() -> tuple[str, ...]:
    """Both releases of ADE20K number their validation images from 1 to 2,000."""
    return tuple(f"ADE_val_{number:08d}" for number in range(1, 2001))


SPECS: dict[str, Spec] = {
    spec.key: spec
    for spec in (
        Spec(
            key="pas20",
            title="PASCAL VOC 2012, 20 classes",
            split="val",
            vocabulary=vocabulary.pas20,
            official_ids=_of("voc2012_val.txt"),
            truths=_pas20,
            photos=(Photos("VOCdevkit/VOC2012/JPEGImages/{id}.jpg", _VOC12),),
            split_list="VOCdevkit/VOC2012/ImageSets/Segmentation/val.txt",
            released_drops_background=True,
        ),
        Spec(
            key="pc59",
            title="PASCAL Context, 59 frequent classes",
            split="val",
            vocabulary=vocabulary.pc59,
            official_ids=_of("pascal_context_val.txt"),
            truths=_pc59,
            photos=_CONTEXT_PHOTOS,
            split_list=_CONTEXT_LIST,
        ),
        Spec(
            key="pc459",
            title="PASCAL Context, 459 classes",
            split="val",
            vocabulary=vocabulary.pc459,
            official_ids=_of("pascal_context_val.txt"),
            truths=_pc459,
            photos=_CONTEXT_PHOTOS,
            unlabelled=False,
            split_list=_CONTEXT_LIST,
        ),
        Spec(
            key="ade150",
            title="SceneParse150 (ADE20K), 150 classes",
            split="val",
            vocabulary=vocabulary.ade150,
            official_ids=_ade_ids,
            truths=_ade150,
            photos=(Photos("ADEChallengeData2016/images/validation/{id}.jpg", _SCENES),),
        ),
        Spec(
            key="ade847",
            title="full ADE20K (2021_17_01), 847 classes",
            split="val",
            vocabulary=vocabulary.ade847,
            official_ids=_ade_ids,
            truths=_ade847,
            photos=(Photos("ADE20K_2021_17_01/images/ADE/validation/**/{id}.jpg", _ADE),),
        ),
        Spec(
            key="coco133",
            title="COCO panoptic, 133 classes",
            split="val2017",
            vocabulary=vocabulary.coco133,
            official_ids=_of("coco_val2017.txt"),
            truths=_coco133,
            photos=_COCO_PLACES,
        ),
        Spec(
            key="cocostuff171",
            title="COCO-Stuff, 171 classes",
            split="val2017",
            vocabulary=vocabulary.cocostuff171,
            official_ids=_of("coco_val2017.txt"),
            truths=_cocostuff171,
            photos=_COCO_PLACES,
        ),
        Spec(
            key="cityscapes19",
            title="Cityscapes fine, 19 classes",
            split="val",
            vocabulary=vocabulary.cityscapes19,
            official_ids=_of("cityscapes_val.txt"),
            truths=_cityscapes19,
            photos=tuple(
                Photos(f"{place}leftImg8bit/val/*/{{id}}_leftImg8bit.png", _CITY_PHOTOS)
                for place in ("cityscapes/", "")
            ),
        ),
    )
}

KEYS = ("pas20", "pc59", "pc459", "mini", "ade150", "ade847", "cityscapes19", "coco133", "cocostuff171")
"""Of the data sets that are built in."""
