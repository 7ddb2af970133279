"""Attackers who know: each gets what can be got, nothing where there is nothing, and never sees the
gender of a test face."""

import re
from dataclasses import replace
from inspect import signature

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from softbio.errors import UserError
from softbio.privacy import attacks
from softbio.privacy.attackers.learning import learn_cnn, read, schedule
from softbio.privacy.attackers.transforms import on_bytes, to_bytes, to_tensor
from softbio.privacy.attacks import get_attack, inversion, knn, names
from softbio.privacy.attacks.base import Evidence, Own, SanKnowledge
from softbio.privacy.attacks.detection import divergence
from softbio.privacy.attacks.inversion import inverted, inverted_bytes
from softbio.privacy.attacks.knn import balanced, neighbours
from softbio.privacy.evidence import gather, knowledge_of_san, male, open_condition
from softbio.privacy.judging.own_evaluators import train_own_cnn
from softbio.privacy.judging.readers import batch_of
from softbio.privacy.models.san import build_san
from softbio.privacy.protectors.blur import blurred
from softbio.privacy.prototype_source import prototype_source
from softbio.privacy.prototypes import Prototypes
from tests.conftest import ROOT
from tests.privacy.attacked import RELEASED, san_files, scores_of, strong

CPU = torch.device("cpu")


def test_all_attacks_are_registered_and_say_what_is_known():
    known = ["adaptive", "detection", "inversion", "knn", "linear", "mixed", "recovery"]
    assert names() == known
    for name in names():
        attack = get_attack(name)
        assert attack.knows
        assert attack.title
        assert attack.family
    with pytest.raises(UserError, match="did you mean 'mixed'"):
        get_attack("mixd")


def test_who_retrains_reads_what_protection_writes(clean, answers):
    """Faces of others, with the true gender in a corner: gone for those who do not know."""
    draw = np.random.default_rng(0)

    def protected(faces, is_male):
        other = faces[draw.permutation(len(faces))].copy()
        other[:, 3:8, 3:8] = np.where(is_male, 220, 30)[:, None, None]
        return other

    own = replace(clean.own, protected=protected(clean.own.clean, clean.own.male))
    test = protected(clean.test, answers)
    evidence = replace(clean, protector="corner", own=own, test=test)
    assert roc_auc_score(answers, read(clean.cnn, clean.test)) > 0.8, "it can read clean faces"
    assert 0.3 < roc_auc_score(answers, read(clean.cnn, test)) < 0.7, "and these not"
    found = scores_of("adaptive", evidence)
    assert roc_auc_score(answers, found["adaptive_cnn"].scores) > 0.9
    # which sees edges, and of a patch's brightness no more than them
    assert roc_auc_score(answers, found["adaptive_hog"].scores) > 0.75


def detected(evidence: Evidence, name: str = "detection") -> float:
    scored = scores_of("detection", evidence)[name]
    labels = np.repeat([1, 0], [len(scored.scores), len(scored.clean)])
    return roc_auc_score(labels, np.concatenate([scored.scores, scored.clean]))


def test_blur_is_detected(clean):
    def blur(faces):
        return on_bytes(lambda x: blurred(x, 1.0), faces)

    own = replace(clean.own, protected=blur(clean.own.clean))
    evidence = replace(clean, protector="blur", own=own, test=blur(clean.test))
    assert detected(evidence) > 0.95


def test_noise_is_detected_by_what_blur_does_to_an_answer(clean):
    """Without training: a denoised face is another one to the classifier."""
    draw = np.random.default_rng(6)

    def noisy(faces):
        return (faces + draw.normal(0, 50, faces.shape)).clip(0, 255).astype(np.uint8)

    own = replace(clean.own, protected=noisy(clean.own.clean))
    evidence = replace(clean, protector="noise", own=own, test=noisy(clean.test))
    assert detected(evidence, "detection_divergence") > 0.6
    scored = scores_of("detection", evidence)["detection_divergence"]
    assert (scored.scores > scored.threshold).mean() > (scored.clean > scored.threshold).mean()


def test_what_does_nothing_is_not_detected(clean):
    """Equal faces have equal scores; and other faces of the same kind are told by chance."""
    nothing = replace(clean, protector="nothing")
    for name in ("detection", "detection_divergence"):
        assert detected(nothing, name) == pytest.approx(0.5, abs=1e-12)
    # the attacker's faces against each other: what the network remembers of them tells nothing
    halves = np.random.default_rng(1).permutation(len(clean.test))
    half = len(halves) // 2
    split = replace(nothing, test=clean.test[halves[:half]], test_clean=clean.test[halves[half:]])
    # three standard errors of an AUC of 1/2
    assert abs(detected(split) - 0.5) < 3 * np.sqrt((2 * half + 1) / (12 * half * half))


@pytest.mark.parametrize("shape", ["px64", "published"])
def test_inversion_gives_the_face_of_mode_sm_back(shape):
    torch.manual_seed(2)
    network, size = strong(build_san(shape)), 32
    faces, gender = torch.rand(8, 1, size, size), torch.arange(8) % 2
    # they differ by up to a tenth, as means of many faces do
    means = (0.4 + 0.1 * torch.rand(2, size, size, 3)).numpy()
    prototypes = Prototypes(means, np.full((2, 68, 2), np.nan), np.array([0.3, 0.7]))
    source = prototype_source(prototypes, None, "shares", CPU)
    modes = source.modes(torch.arange(8), gender)
    weights = network.protocombiner[0].weight[0, -3:, 0, 0]
    assert torch.equal(weights, RELEASED)
    with torch.no_grad():
        out = network(faces, modes)
        for mode in ("sm", "nt", "op"):
            given = getattr(out, mode)
            back = inverted(given, weights, getattr(modes, mode), modes.sm)
            torch.testing.assert_close(back, out.sm, rtol=0, atol=1e-4)
            # rounding moves a face by half a level, and its inverse by at most e to the shift
            shift = torch.einsum("c,bchw->bhw", weights, getattr(modes, mode) - modes.sm).abs()
            rounded = inverted(to_tensor(to_bytes(given)), weights, getattr(modes, mode), modes.sm)
            levels = 255 * (rounded - out.sm).abs().max()
            assert levels <= 0.5 * shift.max().exp() + 0.01
            assert levels < 1
        wrong = source.modes(torch.arange(8), 1 - gender)
        other = inverted(out.op, weights, wrong.op, wrong.sm)
    assert 255 * (other - out.sm).abs().mean() > 3, "the wrong hypothesis gives another face"


def test_inversion_of_stored_faces_meets_the_stored_ones_of_mode_sm(prey, trained):
    """From file to file, with a warped prototype for each face; within two grey levels."""
    files = san_files(prey, trained)
    modes = {mode: open_condition(prey / "san" / mode) for mode in ("sm", "op", "nt")}
    known = knowledge_of_san(modes["op"], files, "cpu")
    truth = male(modes["op"].test)
    wanted = modes["sm"].test.images[..., 0].astype(int)
    for mode in ("op", "nt"):
        stored = modes[mode].test.images[..., 0]
        san = replace(known, mode=mode)
        guesses = [inverted_bytes(stored, y, san, san.test_rows) for y in (0, 1)]
        off = [abs(guess - wanted).max(axis=(1, 2)) for guess in guesses]
        assert np.where(truth, off[1], off[0]).max() <= 2
        assert np.where(truth, off[0], off[1]).min() > 2


def test_who_learnt_from_faces_inverted_as_male_is_shown_no_others(prey, trained, monkeypatch):
    """Both readers of the attack, and the guess whose faces each is shown."""
    of = {0: 10, 1: 200}
    original = open_condition(prey / "none/original")
    condition = open_condition(prey / "san/op")
    evidence = gather(condition, original, prey / "own", san=san_files(prey, trained), device="cpu")
    monkeypatch.setattr(
        inversion, "inverted_bytes", lambda faces, y, *_: np.full_like(faces, of[y])
    )
    monkeypatch.setattr(inversion, "learn_cnn", lambda faces, *_: faces[:1].mean())
    monkeypatch.setattr(
        inversion, "read", lambda reader, faces: faces.mean((1, 2)) + (reader is evidence.cnn)
    )
    found = scores_of("inversion", evidence)
    assert set(found["adaptive_inversion"].scores) == {of[1]}
    assert set(found["inversion+own_cnn"].scores) == {np.mean([*of.values()]) + 1}


def test_nearest_neighbours_are_those_of_scikit_learn():
    draw = np.random.default_rng(3)
    references, probes = draw.normal(size=(80, 16)), draw.normal(size=(60, 16))
    is_male = draw.random(80) < 0.5
    model = KNeighborsClassifier(5, metric="cosine").fit(references, is_male)
    found = neighbours(references, is_male, probes)
    shares = np.round(found * 5) / 5
    np.testing.assert_allclose(shares, model.predict_proba(probes)[:, 1], atol=1e-12)
    assert np.abs(found - shares).max() <= 1 / 20
    assert np.array_equal(found > 0.5, model.predict(probes))


def test_neighbours_of_many_probes_are_those_of_few(monkeypatch):
    """All similarities at once would take 16 GB for CelebA and LFW."""
    draw = np.random.default_rng(3)
    references, probes = draw.normal(size=(80, 16)), draw.normal(size=(61, 16))
    is_male, sizes, sort = draw.random(80) < 0.5, [], np.argsort
    whole = neighbours(references, is_male, probes)
    monkeypatch.setattr(knn, "PROBES", 20)
    monkeypatch.setattr(np, "argsort", lambda x, **how: sizes.append(len(x)) or sort(x, **how))
    np.testing.assert_allclose(neighbours(references, is_male, probes), whole, rtol=1e-12)
    assert sum(sizes) == 61
    assert 1 < min(sizes) <= max(sizes) <= 20


def test_a_matchers_embeddings_are_read_by_a_line(clean, answers):
    """It was made to tell subjects apart, and nobody told it their gender."""
    found = scores_of("linear", clean)["linear"].scores
    assert ((found > 0) & (found < 1)).all()
    assert roc_auc_score(answers, found) > 0.65
    # what the labels of his faces say, not the faces, is what he comes to
    others = replace(clean, own=replace(clean.own, male=~clean.own.male))
    np.testing.assert_allclose(scores_of("linear", others)["linear"].scores, 1 - found, atol=1e-3)


@pytest.mark.parametrize("attack", ["linear", "knn"])
def test_who_learnt_from_clean_faces_uses_nothing_of_the_protection(clean, attack):
    """Whatever the protection has made of his faces, his scores are the same."""
    noise = np.random.default_rng(7).integers(0, 256, clean.own.clean.shape, np.uint8)
    other = replace(clean, own=replace(clean.own, protected=noise))
    found, again = (scores_of(attack, evidence) for evidence in (clean, other))
    np.testing.assert_array_equal(found[f"{attack}_clean"].scores, again[f"{attack}_clean"].scores)
    assert not np.array_equal(found[attack].scores, again[attack].scores)
    # the evidence of no protection is the same on both sides
    np.testing.assert_array_equal(found[attack].scores, found[f"{attack}_clean"].scores)


def test_equal_shares_are_told_apart_by_similarity():
    references = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    probes = np.array([[0.8, 0.7], [0.7, 0.8]])
    near, far = neighbours(references, np.array([True, True, False, False]), probes, k=4)
    assert near > 0.5 > far


def test_neighbours_are_as_many_of_either_gender():
    is_male = np.arange(50) < 13
    rows = balanced(is_male, np.random.default_rng(0))
    assert len(set(rows)) == 26
    assert is_male[rows].sum() == 13


def test_divergence_is_jeffreys():
    from scipy.stats import entropy

    p, q = np.array([0.3, 0.9]), np.array([0.5, 0.2])
    pairs = [np.array([x, 1 - x]) for x in (p, q)]
    expected = entropy(pairs[0], pairs[1]) + entropy(pairs[1], pairs[0])
    np.testing.assert_allclose(divergence(p, q), expected)
    assert np.isfinite(divergence(np.array([0.0, 1.0]), np.array([1.0, 1.0]))).all()


def test_versions_of_a_face_share_its_passes(clean):
    """One seed, one network; eight versions of each face take an eighth of the epochs."""
    same = [learn_cnn(clean.own.clean, clean.own.male, 1, "cpu", epochs=2) for _ in range(2)]
    first, second = (read(reader, clean.test) for reader in same)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(
        read(learn_cnn(clean.own.clean, clean.own.male, 2, "cpu", epochs=2), clean.test), first
    )


@pytest.mark.parametrize(
    ("count", "versions"),
    [(480, 1), (960, 2), (1440, 3), (58, 1), (116, 2), (5000, 1), (97, 1), (2, 1)],
)
def test_an_attackers_network_is_trained_no_less_than_the_own_cnn(count, versions):
    """Recorded with half the passes: a reader retrained on mixed faces told less of them than one
    that knew nothing."""
    epochs, batch = schedule(count, versions)
    passes = signature(train_own_cnn).parameters["epochs"].default
    assert epochs * versions >= passes
    assert batch == batch_of(count)
    assert count % batch != 1
    assert epochs * -(-count // batch) >= 240


def test_evidence_and_names_hold_no_gender_of_test_faces(clean):
    """What is scored comes as pixels alone."""
    assert isinstance(clean.own, Own)
    assert {name for name in Evidence.__dataclass_fields__ if name.startswith("test")} == {
        *("test", "test_clean")
    }
    known = {"mode", "weights", "source", "own_rows", "test_rows"}
    assert set(SanKnowledge.__dataclass_fields__) == known
    scored = scores_of("knn", clean)["knn"]
    assert not hasattr(scored, "labels")


def test_the_example_attack_of_the_documents_attacks(clean, answers, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    (tmp_path / "negative.py").write_text(next(block for block in blocks if "ATTACK =" in block))
    monkeypatch.setattr(attacks, "__path__", [*attacks.__path__, str(tmp_path)])
    assert "negative" in names()
    turned = replace(clean, protector="negative", test=255 - clean.test)
    found = scores_of("negative", turned)["negative"]
    assert np.allclose(found.scores, read(clean.cnn, clean.test))
    # it would do the same to any face: zero effort
    assert found.knowing is False
    assert roc_auc_score(answers, found.scores) > 0.8
