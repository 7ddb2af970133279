"""What the report will print of the differences from the sources."""

from dataclasses import astuple

from softbio.privacy.deviations import DEVIATIONS


def test_each_deviation_is_told_in_full_and_once():
    assert all(all(astuple(deviation)) for deviation in DEVIATIONS)
    assert len({deviation.theirs for deviation in DEVIATIONS}) == len(DEVIATIONS)


def test_the_defects_of_the_released_code_are_among_them():
    text = " ".join(deviation.theirs for deviation in DEVIATIONS)
    for defect in ("mirrors a face", "mean of the embeddings", "sums the matching term"):
        assert defect in text
