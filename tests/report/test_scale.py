from dataclasses import replace

from harness.grid import NO_LOSS, Setting, finetune
from harness.report.scale import scale_note

PAPER, DEMO = (
    finetune(Setting(scale=scale), "mask_rcnn_R50_FPN", NO_LOSS) for scale in ("paper", "demo")
)


def test_the_demo_is_no_coco():
    assert scale_note([DEMO]) == (
        "Demo scale: thin networks trained on drawn shapes, seed 0; not COCO numbers."
    )


def test_the_paper_scale_names_its_splits_once_and_its_seeds():
    htc = finetune(Setting(seed=1), "htc_R50_FPN", NO_LOSS)
    assert scale_note([PAPER, PAPER]) == (
        "Paper scale: trained on coco_2014_train (tested on coco_2014_minival), seed 0."
    )
    assert scale_note([PAPER, htc]) == (
        "Paper scale: trained on coco_2014_train (tested on coco_2014_minival) and "
        "coco_2017_train (tested on coco_2017_val), seeds 0, 1."
    )


def test_own_images_are_named_by_their_folder_and_are_no_coco_at_any_scale():
    own = {"train_split": "own_train", "test_split": "own_val", "data_dir": "/data/birds"}
    assert scale_note([replace(DEMO, **own)]) == (
        "Demo scale: thin networks trained on the images in birds, seed 0; not COCO numbers."
    )
    assert scale_note([replace(PAPER, **own)]) == (
        "Paper scale: trained on the images in birds, seed 0; not COCO numbers."
    )
