"""What the matcher says of original faces, embedded once, is what it says of them at each step."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from softbio.data.packed import content_sha256
from softbio.errors import UserError
from softbio.evaluators.registry import REGISTRY
from softbio.files import sha256
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.auxiliaries import SmallMatcher
from softbio.privacy.training.loss_matcher import chosen_matcher, load_matcher
from softbio.privacy.training.losses import matching_loss
from softbio.privacy.training.originals import embed, originals_of, write_originals
from softbio.privacy.training.privacynet_task import DRAWS, GENERATOR
from softbio.privacy.training.san_task import PARTS
from tests.privacy.sans import RECIPE, SIZE, train
from tests.privacy.test_privacynet_training import work_on
from tests.privacy.test_training import task_with_judges

CPU = torch.device("cpu")
SHORT = replace(RECIPE, pretrain_epochs=0, epochs=1)


def written(trained, path, matcher=None):
    """Those of the matcher of a `Home`, or of another one, in a file."""
    matcher = matcher or trained.path("matcher/network.safetensors")
    write_originals(
        *(trained.path("packed"), trained.path("parts.csv"), SIZE, matcher, "own", path, "cpu")
    )
    return path


def facts_of(trained):
    """Hashes of the index, of the faces, of parts and matcher."""
    names = ("packed/index.parquet", "parts.csv", "matcher/network.safetensors")
    index, parts, matcher = (sha256(trained.path(name)) for name in names)
    return [index, content_sha256(trained.path("packed"), trained.packed.ages), parts, matcher]


def test_they_are_those_of_the_faces_as_they_are_and_mirrored(trained):
    matcher = load_matcher(trained.path("matcher/network.safetensors"), SIZE, CPU)
    faces = GreyFaces(trained.packed, CPU)
    rows = torch.from_numpy(np.flatnonzero(trained.parts == "san"))
    known = embed(matcher, faces, rows)
    chance = np.random.default_rng(0)
    some = torch.from_numpy(chance.choice(rows.numpy(), 13))
    turned = torch.from_numpy(chance.random(13) < 0.5)
    pixels = trained.packed.images[some.numpy()].astype(np.float32)
    pixels[turned.numpy()] = pixels[turned.numpy()][:, :, ::-1]
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    with torch.no_grad():
        expected = matcher(torch.from_numpy(grey)[:, None])
    torch.testing.assert_close(known.of(some, turned), expected)
    other = torch.from_numpy(np.flatnonzero(trained.parts == "test")[:3])
    with pytest.raises(IndexError):
        known.of(other, turned[:3])


def test_the_matcher_of_a_recipe_is_chosen_by_its_name(tmp_path):
    own, receipt = tmp_path / "network.safetensors", tmp_path / "receipt.json"
    assert chosen_matcher("own", str(own)) == own
    with pytest.raises(UserError, match="matcher_net is 'own'; give the own matcher's file"):
        chosen_matcher("own", registry=REGISTRY, receipt=receipt)
    with pytest.raises(UserError, match="is 'dlib_resnet'; give registry and receipt"):
        chosen_matcher("dlib_resnet", own)
    # its files lie beside the receipt
    with pytest.raises(UserError, match=f"'dlib_resnet': {tmp_path}/.* is missing"):
        chosen_matcher("dlib_resnet", None, REGISTRY, receipt)


def test_a_san_is_matched_to_the_face_that_it_saw(trained):
    work = task_with_judges(trained, SHORT)
    work.begin([])
    draws = torch.tensor([[0.1], [0.9]]).repeat(4, 3)
    batch = work.batch(work.rows[:8], draws)
    with torch.no_grad():
        j_m = dict(zip(PARTS, work.adversarial(batch), strict=True))["j_m"]
        features = work.network.features(batch.faces, batch.prototypes.sm)
        sm = work.network.combined(features, batch.prototypes.sm)
        judge = work.judges.matcher
        torch.testing.assert_close(j_m, matching_loss(judge(sm), judge(batch.faces)))
        turned = matching_loss(judge(sm), judge(batch.faces.flip(3)))
    assert not torch.isclose(j_m, turned), "the faces are alike either way: it decides nothing"


def test_a_privacynet_is_matched_to_the_face_that_it_saw(trained):
    work = work_on(trained)
    rows, draws = work.rows[:8], torch.rand(8, DRAWS, generator=torch.Generator().manual_seed(0))
    faces, classes = work.batch(rows, draws)
    with torch.no_grad():
        own = work.network.filled(classes, work.network.discriminator(faces)[1])
        fake = work.network.changed(faces, work.asked(own, draws))
        both = (work.matcher((x + 1) / 2) for x in (fake, faces))
        expected = matching_loss(*both)
    found = dict(zip(GENERATOR, work.generator_step(rows, draws), strict=True))["j_m"]
    torch.testing.assert_close(found, expected)


def test_training_with_the_file_is_training_without(trained, tmp_path):
    path = written(trained, tmp_path / "originals.safetensors")
    train(trained, tmp_path / "with", SHORT, originals=path)
    train(trained, tmp_path / "without", SHORT)
    first, second = (
        (tmp_path / folder / "network.safetensors").read_bytes() for folder in ("with", "without")
    )
    assert first == second


def test_where_no_matching_is_asked_for_nobody_is_embedded(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "softbio.privacy.training.originals.embed", lambda *_: pytest.fail("embedded")
    )
    train(trained, tmp_path, replace(SHORT, matching_weight=0.0))
    with pytest.raises(pytest.fail.Exception, match="embedded"):
        train(trained, tmp_path / "asked", SHORT)


def test_a_file_of_others_is_refused(trained, tmp_path):
    faces = GreyFaces(trained.packed, CPU)
    rows = torch.from_numpy(np.flatnonzero(trained.parts == "san"))
    of, matcher = facts_of(trained), SmallMatcher(4)
    path = written(trained, tmp_path / "own.safetensors")
    assert originals_of(path, of, matcher, faces, rows).embeddings.shape[:2] == (len(rows), 2)
    other = written(trained, tmp_path / "other.safetensors", SmallMatcher(4))
    for wrong, what, places in (
        (other, of, rows),
        (path, [of[0], "0", *of[2:]], rows),
        (path, of, rows[1:]),
    ):
        with pytest.raises(UserError, match="of other faces or another matcher; delete it and"):
            originals_of(wrong, what, matcher, faces, places)
    broken = tmp_path / "broken.safetensors"
    for content in (b"", path.read_bytes()[:-9], b"\xff" * 99):
        broken.write_bytes(content)
        with pytest.raises(UserError, match="no embeddings of original faces"):
            originals_of(broken, of, matcher, faces, rows)
    network = trained.path("gender/network.safetensors")
    with pytest.raises(UserError, match="no embeddings of original faces"):
        originals_of(network, of, matcher, faces, rows)
