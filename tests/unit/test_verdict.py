"""The verdict says what the numbers say, no more."""

from types import SimpleNamespace

import numpy as np
import pytest

from softbio.report import verdict
from softbio.report.verdict import Contest, control_finding, describe, overall
from softbio.statistics import contests

APART = {"ce": [6.0, 6.1, 6.2], "orcnn": [5.2, 5.3, 5.25], "coral": [4.9, 5.0, 5.1]}
MIXED = {"ce": [6.0, 6.1, 6.2], "orcnn": [4.95, 5.3, 5.25], "coral": [4.9, 5.0, 5.1]}


def contest(mae: dict, backbone: str = "small32", **controls: float) -> Contest:
    """A contest whose pairs come from errors on 2,000 images with those means."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, 2000)
    noise -= noise.mean()
    errors = {
        m: np.array([noise * (1 + 0.1 * len(m)) + v for v in seeds]) for m, seeds in mae.items()
    }
    pairs = contests.pairs_of(
        contests.Errors(errors, None), dataset="faces", backbone=backbone, selection="last"
    )
    means = {m: np.array(v) for m, v in mae.items()}
    return Contest("faces", backbone, means, pairs=tuple(pairs), **controls)


def test_winner_spread_and_second():
    text = describe(contest(APART, median=8.694))
    assert text == (
        "On the drawn faces with the small CNN of width 32, CORAL-CNN has the lowest test MAE: "
        "5.00 ± 0.10 years over 3 seeds, ahead of OR-CNN (5.25), from which it is separated "
        "(95 % interval of the difference 0.04 to 0.46 years); the constant median scores 8.69."
    )


def test_what_the_seeds_do_not_support_is_not_separated():
    """However many test images there are."""
    text = describe(contest(MIXED))
    assert "from which it is not separated (95 % interval of the difference −" in text


def test_the_winner_is_computed():
    swapped = {"ce": APART["coral"], "coral": APART["ce"], "orcnn": APART["orcnn"]}
    assert "CE-CNN has the lowest test MAE" in describe(contest(swapped))


def test_one_seed_supports_nothing():
    text = describe(contest({"ce": [6.0], "coral": [5.0]}))
    assert "over 1 seed," in text
    assert "a difference that one seed cannot support" in text
    text = describe(contest({"ce": [6.0], "coral": [5.0, 5.1]}))
    assert "a difference that one seed cannot support" in text


def test_one_seed_is_never_separated():
    single = {"ce": [6.0], "coral": [5.0]}
    assert not contest(single).apart
    assert contest(APART).apart
    assert "is never separated from the second-best" in overall([contest(single), contest(single)])


def test_one_method_has_nobody_to_beat():
    assert describe(contest({"ce": [6.0, 6.1]})) == (
        "On the drawn faces with the small CNN of width 32, CE-CNN has the lowest test MAE: "
        "6.05 ± 0.07 years over 2 seeds."
    )


@pytest.mark.parametrize(
    ("shuffled", "expected"), [(8.5, "no better than"), (6.0, "look for a leak of labels")]
)
def test_shuffled_labels_reveal_a_leak(shuffled, expected):
    assert expected in control_finding(contest(APART, median=8.7, shuffled=shuffled))


def test_methods_that_lose_to_the_median_are_named():
    text = control_finding(contest(APART, median=5.1, shuffled=5.1))
    assert text.startswith("CE-CNN and OR-CNN did not beat the constant median.")


def test_no_control_no_finding():
    assert control_finding(contest(APART)) is None


@pytest.mark.parametrize(
    ("several", "text"),
    [
        ([APART, APART], "in both pairs of data set and backbone; it is separated from"),
        ([MIXED, MIXED], "but is never separated"),
        (
            [APART, APART, MIXED],
            "in all 3 pairs of data set and backbone; it is separated from the second-best method "
            "in 2 of them.",
        ),
        (
            [APART, {"ce": [3.0, 3.1], "coral": [4.0, 4.1]}, APART],
            "No method wins everywhere: "
            "CORAL-CNN has the lowest mean test MAE in 2 of 3 pairs of data set and backbone, "
            "CE-CNN in 1.",
        ),
    ],
)
def test_several_contests(several, text):
    assert text in overall([contest(mae, str(i)) for i, mae in enumerate(several)])


def test_the_contest_with_most_seeds_is_the_headline(monkeypatch):
    one_seed = {method: values[:1] for method, values in APART.items()}
    made = {"a": contest(one_seed, "a"), "b": contest(APART, "b")}
    records = SimpleNamespace(datasets=["faces"], backbones=lambda dataset: ["a", "b"])
    monkeypatch.setattr(verdict, "contest", lambda *given: made[given[-1]])
    monkeypatch.setattr(verdict, "other_rules", lambda records, c: f"Rules of {c.backbone}.")
    reached = verdict.reach_verdict(records, contests.Statistics())
    assert reached.headline == describe(made["b"])
    assert reached.findings == ["Rules of b.", f"{describe(made['a'])} Rules of a."]
