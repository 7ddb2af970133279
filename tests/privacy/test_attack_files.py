"""What attacks write: score files, an index, and the same again."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from softbio.errors import UserError
from softbio.evaluators.interface import KINDS
from softbio.evaluators.registry import load_evaluators
from softbio.privacy.attack import (
    CLEAN,
    AttackInputs,
    attack_condition,
    check_scored,
    score_file,
    write_attacks,
)
from softbio.privacy.attacks import get_attack
from softbio.privacy.attacks.base import Evidence
from softbio.privacy.evidence import gather, grey, male, open_condition, open_own
from softbio.privacy.judging.panel import Registered
from softbio.privacy.protect import load_resources, protect_parts
from softbio.results.scores import read_gender
from tests.privacy.attacked import san_files, scores_of
from tests.privacy.judged import rewritten


@pytest.fixture(scope="module")
def attacked(prey, trained, tmp_path_factory):
    """The SAN's mode OP, attacked twice."""
    inputs = AttackInputs(
        condition=prey / "san/op",
        original=prey / "none/original",
        evaluators=prey / "own",
        modes=tuple(prey / "san" / mode for mode in ("sm", "nt", "op")),
        san=san_files(prey, trained),
    )
    where = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    for folder in where:
        attack_condition(inputs, folder, "cpu", "faces")
    return where


def test_score_files_are_valid_and_complete(attacked, prey):
    test = open_condition(prey / "san/op").test
    index = json.loads((attacked[0] / "index.json").read_text())
    assert index["absent"] == []
    written = {path.stem for path in attacked[0].glob("*.parquet")}
    assert written == {entry["name"] for entry in index["attacks"]}
    assert {"inversion+own_cnn", "adaptive_inversion", "adaptive_mixed", "knn", "linear"} <= written
    assert {"recovery_best+own_cnn", "detection", "adaptive_hog"} <= written
    uninformed = {entry["name"] for entry in index["attacks"] if not entry["knowing"]}
    assert {"recovery_blur+own_cnn", "knn_clean", "linear_clean"} <= uninformed
    filters = {name for name in written if name.startswith("recovery_")}
    assert uninformed - {"knn_clean", "linear_clean"} < filters
    assert not [name for name in uninformed if "denoiser" in name or "best" in name]
    for entry in index["attacks"]:
        found = read_gender(attacked[0] / f"{entry['name']}.parquet")
        about = found.about
        assert (about.evaluator, about.title) == (entry["name"], entry["title"])
        assert (about.protector, about.mode, about.protector_title) == ("san", "op", "SAN")
        assert about.dataset == "faces"
        assert entry["family"] in ("adaptive", "recovery", "inversion", "embeddings", "detection")
        if entry["family"] == "detection":
            assert (about.positive, about.negative) == ("protected", "clean")
            name = found.frame["image"]
            assert list(found.labels) == [0 if image.endswith(CLEAN) else 1 for image in name]
            assert len(found.frame) == 2 * len(test.index)
        else:
            assert about.positive == "male"
            assert list(found.frame["image"]) == list(test.index["image"])
            np.testing.assert_array_equal(found.labels, male(test))


def test_attacks_repeat_bit_for_bit(attacked):
    first, second = attacked
    files = sorted(path.name for path in first.iterdir())
    assert files == sorted(path.name for path in second.iterdir())
    for name in files:
        if name.endswith(".parquet"):
            once, again = (read_gender(folder / name) for folder in attacked)
            assert once.about == again.about
            np.testing.assert_array_equal(once.frame["score"], again.frame["score"], err_msg=name)


def test_what_an_attack_lacks_is_told(clean, prey, tmp_path):
    write_attacks(clean, open_condition(prey / "none/original").test, tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    reasons = {entry["name"]: entry["reason"] for entry in index["absent"]}
    assert set(reasons) == {"detection", "inversion", "mixed"}
    assert read_gender(tmp_path / "knn.parquet").about.protector == "original"
    # there is nothing to learn from pairs of equal faces
    assert not list(tmp_path.glob("*denoiser*"))
    without = replace(clean, protector="san")
    assert "not given: san" in get_attack("inversion").absent(without)
    assert "not given: modes" in get_attack("mixed").absent(without)
    given = replace(without, modes={"sm": clean.own.clean})
    assert get_attack("mixed").absent(given) == ""


def test_what_is_not_implemented_is_not_said_to_mean_nothing(clean):
    reasons = {
        (protector, mode): {
            name: get_attack(name).absent(replace(clean, protector=protector, mode=mode))
            for name in ("detection", "inversion", "mixed")
        }
        for protector, mode in (("flowsan", "stage3"), ("ensemble", "average"))
    }
    for (protector, mode), told in reasons.items():
        said = f"is not implemented against {protector} {mode}"
        assert told == {"detection": "", "inversion": said, "mixed": said}
    nothing = get_attack("inversion").absent(replace(clean, protector="none", mode="original"))
    assert nothing == "there is no protection to attack"


def test_a_member_of_an_ensemble_is_inverted_as_the_san_that_it_is(prey, trained, tmp_path):
    shutil.copytree(prey / "san/op", tmp_path / "member1-e1")
    rewritten(tmp_path / "member1-e1", card={"protector": "ensemble", "mode": "member1-e1"})
    original, files = open_condition(prey / "none/original"), san_files(prey, trained)
    found = []
    for folder in (prey / "san/op", tmp_path / "member1-e1"):
        given = open_condition(folder)
        evidence = gather(given, original, prey / "own", san=files, device="cpu")
        assert get_attack("inversion").absent(evidence) == ""
        first = next(get_attack("inversion").run(evidence))
        found.append(first.scores)
    assert get_attack("mixed").absent(evidence) == "is not implemented against ensemble member1-e1"
    np.testing.assert_array_equal(*found)


def test_files_that_do_not_belong_together_are_refused(prey, trained, tmp_path):
    with pytest.raises(UserError, match="prototypes; give those"):
        files = replace(san_files(prey, trained), pairs=None)
        condition = open_condition(prey / "san/op")
        gather(condition, open_condition(prey / "none/original"), prey / "own", san=files)
    short = tmp_path / "short"
    parts = trained.path("parts.csv")
    resources = load_resources(trained.path("packed"), parts, device="cpu")
    protect_parts("none", "original", resources, short, parts=("test",))
    with pytest.raises(UserError, match="part 'attacker' is empty"):
        attack_condition(AttackInputs(prey / "san/op", short, prey / "own"), tmp_path / "out")


def test_of_a_condition_one_channel_is_read_and_each_once(prey, trained):
    """Three equal channels, five conditions and copies of each took many times the memory."""
    folders = [prey / "san" / mode for mode in ("sm", "nt", "op")]
    condition, original = open_condition(folders[2]), open_condition(prey / "none/original")
    stored = np.load(folders[2] / "images.npy")
    for part in (condition.attacker, condition.test):
        assert part.images.strides[3] == 0
        assert np.shares_memory(grey(part), part.images)
    both = np.concatenate([condition.attacker.images, condition.test.images])
    assert sorted(face.tobytes() for face in both) == sorted(face.tobytes() for face in stored)
    evidence = gather(
        condition, original, prey / "own", folders, san_files(prey, trained), device="cpu"
    )
    assert list(evidence.modes) == ["sm", "nt", "op"]
    assert np.shares_memory(evidence.modes["op"], evidence.own.protected)
    assert np.shares_memory(evidence.own.protected, condition.attacker.images)
    assert np.shares_memory(evidence.test, condition.test.images)
    assert np.shares_memory(evidence.own.clean, original.attacker.images)
    assert not np.array_equal(evidence.modes["sm"], evidence.modes["op"])


def test_a_failed_number_of_scores_is_refused(clean, prey):
    test = open_condition(prey / "none/original").test
    scored = scores_of("knn", clean)["knn"]
    with pytest.raises(ValueError, match="ength"):
        score_file(replace(scored, scores=scored.scores[:-1]), test)


@pytest.mark.parametrize(
    ("changes", "before", "message"),
    [
        ({"name": "../esc"}, (), "name them by lower-case letters, digits, _ and \\+ alone"),
        ({}, ("knn",), "there are scores of that name; choose another"),
        ({"scores": np.zeros((3, 1))}, (), r"shape \(3, 1\); one score is needed for each of"),
        ({"scores": 0.5}, (), r"shape \(\); one score"),
        ({"clean": np.zeros(2)}, (), r"shape \(2,\); one score"),
    ],
)
def test_scores_of_an_attack_that_cannot_be_kept_are_refused(clean, changes, before, message):
    scored = scores_of("knn", clean)["knn"]
    check_scored(get_attack("knn"), scored, ["linear"], len(clean.test))
    with pytest.raises(UserError, match=f"attack 'Nearest neighbours', scores .*{message}"):
        check_scored(get_attack("knn"), replace(scored, **changes), before, len(clean.test))


def test_attackers_take_the_best_matcher_that_was_fetched(clean, prey, tmp_path, monkeypatch):
    """Else the own one, which hardly matches photographs; nobody but a matcher is asked."""
    fetched = {"sface", "dlib_resnet", "faceres"}

    def opened(spec, folder):
        if spec.name not in fetched:
            raise UserError("no file")
        # as many numbers as the face has rows and columns of pixels
        return KINDS[spec.kind](spec, lambda x: torch.cat([x.mean((1, 2)), x.mean((1, 3))], 1))

    monkeypatch.setattr("softbio.privacy.evidence.open_evaluator", opened)
    asked = ("faceres", "sface", "dlib_resnet")
    third = Registered(asked, load_evaluators(), tmp_path)
    original = open_condition(prey / "none/original")

    def given() -> Evidence:
        return gather(original, original, prey / "own", device="cpu", third=third)

    assert given().matcher.spec.name == "dlib_resnet"
    fetched.discard("dlib_resnet")
    evidence = given()
    for attack in ("knn", "linear"):
        assert "SFace's embeddings" in scores_of(attack, evidence)[attack].text
        assert "Own matcher's embeddings" in scores_of(attack, clean)[attack].text
        assert "not given: matcher" in get_attack(attack).absent(replace(clean, matcher=None))
    fetched.discard("sface")
    assert given().matcher.spec.name == "own_matcher"


def test_own_evaluators_are_opened_by_their_folders(prey):
    cnn, hog, matcher = open_own(prey / "own")
    assert [each.spec.name for each in (cnn, hog, matcher)] == [
        *("own_cnn", "hog_linear", "own_matcher")
    ]
