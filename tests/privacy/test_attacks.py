"""Attackers who know: each gets what can be got, nothing where there is nothing, and never sees the
gender of a test face."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from softbio.errors import UserError
from softbio.privacy.attack import CLEAN, attack_condition, score_file, write_attacks
from softbio.privacy.attacks import get_attack, names
from softbio.privacy.attacks.base import Evidence, Own, SanKnowledge
from softbio.privacy.attacks.detection import divergence
from softbio.privacy.attacks.inversion import inverted, inverted_bytes
from softbio.privacy.attacks.knn import balanced, neighbours
from softbio.privacy.denoiser import Denoiser, fit_denoiser
from softbio.privacy.evidence import gather, male, open_condition, open_own
from softbio.privacy.learning import learn_cnn, read, schedule
from softbio.privacy.protect import load_means, protect_parts
from softbio.privacy.protectors.blur import blurred
from softbio.privacy.prototypes import Prototypes, prototype_source
from softbio.privacy.readers import fit_hog, train_cnn
from softbio.privacy.recipe import SanRecipe
from softbio.privacy.san import build_san
from softbio.privacy.transforms import TRANSFORMS, jpeg, on_bytes, to_bytes, to_tensor
from softbio.privacy.weights import build_network, save_network
from softbio.scores import read_gender

# of the prototype's R, G and B in the released network
RELEASED = torch.tensor([1.312, 1.476, -0.257])
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def home(trained, tmp_path_factory):
    """Own evaluators, and the drawn faces clean, blurred and through a SAN that nobody trained."""
    folder = tmp_path_factory.mktemp("attacked")
    packed = trained.packed
    clean, gender = packed.images, (packed.index["gender"] == "male").to_numpy()
    known = np.isin(trained.parts, ("san", "evaluators"))
    train_cnn(clean[known], gender[known], None, folder / "own/own_cnn", 0, "cpu")
    fit_hog(clean[known], gender[known], folder / "own/hog_linear")
    matcher = folder / "own/own_matcher/network.safetensors"
    matcher.parent.mkdir()
    matcher.write_bytes(trained.path("matcher/network.safetensors").read_bytes())
    recipe = SanRecipe("faces", 0, packed.images.shape[1], shape="px64")
    torch.manual_seed(0)
    save_network(folder / "san.safetensors", recipe, strong(build_network(recipe)))
    means = load_means(
        trained.path("packed"),
        trained.path("parts.csv"),
        device="cpu",
        san=folder / "san.safetensors",
        prototypes=trained.path("prototypes.npz"),
        pairs=trained.path("warped.npy"),
    )
    for protector, mode in CONDITIONS:
        protect_parts(protector, mode, means, folder / protector / mode)
    return folder


CONDITIONS = [("none", "original"), ("blur", "sigma2"), *(("san", m) for m in ("sm", "nt", "op"))]


def strong(network):
    """A SAN whose last layer weighs the prototype as the released one does."""
    with torch.no_grad():
        network.protocombiner[0].weight[0, -3:, 0, 0] = RELEASED
    return network


@pytest.fixture(scope="module")
def clean(home) -> Evidence:
    """Faces that nothing was done to."""
    original = open_condition(home / "none/original")
    return gather(original, original, home / "own", device="cpu")


@pytest.fixture(scope="module")
def answers(home) -> np.ndarray:
    """The gender of the test faces, which evidence does not hold."""
    return male(open_condition(home / "none/original").test)


def scores_of(attack: str, evidence: Evidence) -> dict:
    return {scored.name: scored for scored in get_attack(attack).run(evidence)}


def test_all_attacks_are_registered_and_say_what_is_known():
    assert names() == ["adaptive", "detection", "inversion", "knn", "mixed", "recovery"]
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


def test_inversion_of_stored_faces_meets_the_stored_ones_of_mode_sm(home, trained):
    """From file to file, with a warped prototype for each face; within two grey levels."""
    files = san_files(home, trained)
    modes = {mode: open_condition(home / "san" / mode) for mode in ("sm", "op", "nt")}
    original = open_condition(home / "none/original")
    evidence = gather(modes["op"], original, home / "own", san=files, device="cpu")
    truth = male(modes["op"].test)
    wanted = modes["sm"].test.images[..., 0].astype(int)
    for mode in ("op", "nt"):
        stored = modes[mode].test.images[..., 0]
        guesses = [
            inverted_bytes(stored, mode, y, evidence.san, evidence.san.test_rows) for y in (0, 1)
        ]
        off = [abs(guess - wanted).max(axis=(1, 2)) for guess in guesses]
        assert np.where(truth, off[1], off[0]).max() <= 2
        assert np.where(truth, off[0], off[1]).min() > 2


def san_files(home, trained):
    from softbio.privacy.evidence import SanFiles

    return SanFiles(
        home / "san.safetensors",
        trained.path("packed/index.parquet"),
        trained.path("prototypes.npz"),
        trained.path("warped.npy"),
    )


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


def test_transforms_keep_flat_faces_and_take_off_speckles():
    flat = np.full((2, 32, 32), 90, np.uint8)
    speckled = flat.copy()
    speckled[:, ::4, ::4] = 98
    for name, (_, transform) in TRANSFORMS.items():
        np.testing.assert_array_equal(transform(flat), flat, err_msg=name)
        left, there = (np.std(faces.astype(float)) for faces in (transform(speckled), speckled))
        assert left < there, name
    assert np.array_equal(TRANSFORMS["median"][1](speckled), flat)


def test_transforms_are_those_of_opencv_and_scipy(clean):
    cv2, ndimage = pytest.importorskip("cv2"), pytest.importorskip("scipy.ndimage")
    faces = clean.test[:8]
    size = faces.shape[1]

    def down_up(face):
        half = cv2.resize(face.astype(np.float32), (size // 2,) * 2, interpolation=cv2.INTER_AREA)
        return cv2.resize(half, (size, size), interpolation=cv2.INTER_LINEAR)

    wanted = {
        "median": [ndimage.median_filter(face, 3, mode="nearest") for face in faces],
        "blur": [
            ndimage.gaussian_filter(face.astype(float), 1.0, mode="nearest", truncate=3.0)
            for face in faces
        ],
        "downup2": [down_up(face) for face in faces],
    }
    for name, images in wanted.items():
        off = np.abs(TRANSFORMS[name][1](faces).astype(float) - np.array(images))
        assert off.max() <= 0.51, name
    written = cv2.imencode(".jpg", faces[0], [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    opened = cv2.imdecode(written, cv2.IMREAD_GRAYSCALE).astype(int)
    assert np.abs(jpeg(faces[:1], 50)[0] - opened).mean() < 1


def test_a_denoiser_learns_to_undo_and_begins_with_nothing(clean):
    draw = np.random.default_rng(4)

    def noisy(faces):
        return (faces + draw.normal(0, 15, faces.shape)).clip(0, 255).astype(np.uint8)

    def error(a, b):
        return ((a.astype(float) - b) ** 2).mean()

    faces = to_tensor(clean.test[:2])
    torch.testing.assert_close(Denoiser()(faces), faces)
    undo = fit_denoiser(noisy(clean.own.clean), clean.own.clean, seed=0)
    test = noisy(clean.test)
    assert error(undo(test), clean.test) < 0.5 * error(test, clean.test)


def test_recovery_takes_noise_off(clean, answers):
    draw = np.random.default_rng(5)

    def noisy(faces):
        return (faces + draw.normal(0, 60, faces.shape)).clip(0, 255).astype(np.uint8)

    own = replace(clean.own, protected=noisy(clean.own.clean))
    evidence = replace(clean, protector="noise", own=own, test=noisy(clean.test))
    found = scores_of("recovery", evidence)
    readers = [f"+{reader.spec.name}" for reader in clean.readers]
    kinds = [*TRANSFORMS, "denoiser", "best"]
    assert set(found) == {f"recovery_{kind}{reader}" for kind in kinds for reader in readers}
    before = roc_auc_score(answers, read(clean.hog, evidence.test))
    after = roc_auc_score(answers, found["recovery_best+hog_linear"].scores)
    assert after > before + 0.05


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


def test_few_faces_are_seen_as_often_and_in_as_many_steps():
    for count, versions in ((480, 1), (960, 2), (1440, 3), (58, 1), (116, 2), (5000, 1), (97, 1)):
        epochs, batch = schedule(count, versions)
        assert epochs * versions >= 15
        assert 8 <= batch <= 66
        assert count % batch != 1
        assert epochs * -(-count // batch) >= 240, (count, versions)


@pytest.fixture(scope="module")
def attacked(home, trained):
    """The SAN's mode OP, attacked twice."""
    files = san_files(home, trained)
    where = [home / name for name in ("first", "second")]
    for folder in where:
        attack_condition(
            home / "san/op",
            home / "none/original",
            home / "own",
            folder,
            [home / "san" / mode for mode in ("sm", "nt", "op")],
            "cpu",
            **vars(files),
        )
    return where


def test_score_files_are_valid_and_complete(attacked, home):
    test = open_condition(home / "san/op").test
    index = json.loads((attacked[0] / "index.json").read_text())
    assert index["absent"] == []
    written = {path.stem for path in attacked[0].glob("*.parquet")}
    assert written == {entry["name"] for entry in index["attacks"]}
    assert {"inversion+own_cnn", "adaptive_inversion", "adaptive_mixed", "knn"} <= written
    assert {"recovery_best+own_cnn", "detection", "adaptive_hog"} <= written
    for entry in index["attacks"]:
        found = read_gender(attacked[0] / f"{entry['name']}.parquet")
        about = found.about
        assert (about.evaluator, about.title) == (entry["name"], entry["title"])
        assert (about.protector, about.mode, about.protector_title) == ("san", "op", "SAN")
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


def test_what_an_attack_lacks_is_told(clean, home, tmp_path):
    write_attacks(clean, open_condition(home / "none/original").test, tmp_path)
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


def test_files_that_do_not_belong_together_are_refused(home, trained, tmp_path):
    with pytest.raises(UserError, match="prototypes; give those"):
        files = replace(san_files(home, trained), pairs=None)
        condition = open_condition(home / "san/op")
        gather(condition, open_condition(home / "none/original"), home / "own", san=files)
    short = tmp_path / "short"
    parts = trained.path("parts.csv")
    means = load_means(trained.path("packed"), parts, device="cpu")
    protect_parts("none", "original", means, short, parts=("test",))
    with pytest.raises(UserError, match="part 'attacker' is empty"):
        attack_condition(home / "san/op", short, home / "own", tmp_path / "out")


def test_evidence_and_names_hold_no_gender_of_test_faces(clean):
    """What is scored comes as pixels alone."""
    assert isinstance(clean.own, Own)
    assert {name for name in Evidence.__dataclass_fields__ if name.startswith("test")} == {
        *("test", "test_clean")
    }
    assert set(SanKnowledge.__dataclass_fields__) == {"weights", "source", "own_rows", "test_rows"}
    scored = scores_of("knn", clean)["knn"]
    assert not hasattr(scored, "labels")


def test_a_failed_number_of_scores_is_refused(clean, home):
    test = open_condition(home / "none/original").test
    scored = scores_of("knn", clean)["knn"]
    with pytest.raises(ValueError, match="ength"):
        score_file(replace(scored, scores=scored.scores[:-1]), test)


def test_own_evaluators_are_opened_by_their_folders(home):
    cnn, hog, matcher = open_own(home / "own")
    assert [each.spec.name for each in (cnn, hog, matcher)] == [
        *("own_cnn", "hog_linear", "own_matcher")
    ]
