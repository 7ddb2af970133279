"""The audit finds what is known of the authors' lists."""

import numpy as np
import pandas as pd
import pytest

from softbio.data.audit import find, read_lists

# All AFAD images of ages 15 to 40, as printed (np.bincount of train, valid and test together) by
# the notebook 03_afad-splits.ipynb of github.com/Raschka-research-group/corn-ordinal-neuralnet
AFAD = [
    1251, 2423, 2482, 5585, 12477, 13232, 12560, 13572, 10510, 12891, 11261, 7676, 6481, 5170,
    4730, 4806, 4456, 3996, 3701, 3856, 4246, 4234, 3898, 3798, 3791, 1335,
]  # fmt: skip


def test_most_test_images_of_morph_show_a_trained_subject(published):
    folder = published / "v3-splits"
    lists = {part: folder / f"morph2_{part}.csv" for part in ("train", "test")}
    found = find(read_lists(lists, (16, 70), "id_num"), (16, 70))
    assert found.images == {"train": 44_180, "test": 11_044}
    (overlap,) = found.overlaps
    assert (overlap.subject, overlap.with_subject) == (10_641, 11_044)
    assert f"{overlap.subject / overlap.with_subject:.1%}" == "96.4%"
    assert found.missing == {"train": [], "test": [68]}


@pytest.fixture(scope="module")
def afad(published) -> pd.DataFrame:
    """The journal's split, deduced: no list but that of the test images is published.

    Training and validation together are all images less the test images. They are listed folder by
    folder, an age a folder, in the order in which the test list has the folders; the first tenth is
    the validation part.
    """
    test = read_lists({"test": published / "afad_test.csv"}, (15, 40), None)
    rest = np.array(AFAD) - np.bincount(test["label"], minlength=26)
    folders = list(dict.fromkeys(test["label"]))
    assert len(folders) == (test["label"].diff() != 0).sum() == 26
    listed = np.concatenate([np.full(rest[rank], rank) for rank in folders])
    valid = len(listed) // 10
    split = np.where(np.arange(len(listed)) < valid, "valid", "train")
    others = pd.DataFrame({"label": listed, "split": split, "subject": None, "gender": None})
    return pd.concat([others.assign(race=None), test], ignore_index=True)


def test_ages_are_missing_from_the_journals_training_on_afad(afad):
    found = find(afad, (15, 40))
    # the counts of protocol-age.md and of the logs, 463 batches of 256
    assert found.images == {"train": 118_491, "valid": 13_165, "test": 32_762}
    assert found.missing["train"] == [30, 37, 39]
    assert found.missing["test"] == []
    assert set(range(15, 41)) - set(found.missing["valid"]) == {30, 32, 37, 39}


def test_the_journals_coral_never_predicts_them(published):
    for seed in range(3):
        log = published / f"afad/afad-coral__seed{seed}/test_predictions.log"
        predicted = {int(rank) + 15 for rank in log.read_text().strip(", \n").split(",")}
        assert set(range(15, 41)) - predicted == {30, 37, 39}
