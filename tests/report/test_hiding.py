"""The report's second half, from made-up score files in the layout of the workflow."""

from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.evaluators.registry import load_evaluators
from softbio.files import write_json
from softbio.hiding.claim import IMPOSSIBLE
from softbio.hiding.claims import decide
from softbio.hiding.curves import chosen, nearest_mixing, on_curves
from softbio.hiding.load import load_hiding, read_condition
from softbio.hiding.population import Population, Source, read_population, read_training
from softbio.hiding.side_by_side import side_by_side
from softbio.metrics import classification
from softbio.privacy.population import LeftOut, PopulationCard
from softbio.report.hiding.faces import example_faces, hide_set_faces
from softbio.report.hiding.page import as_sentence
from softbio.report.hiding.write import build_tables, differences
from softbio.results.scores import read_comparisons, read_gender, write_gender
from softbio.tables.hiding import attacks_table, evaluators_table, population_table
from softbio.tables.layout import Table
from tests import weighted
from tests.report import hidden

SPECS = load_evaluators()
SEEDS = hidden.World(subjects=24, each=3, cap=3000, seeds=(0, 1))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    made = hidden.build(tmp_path_factory.mktemp("seeds"), SEEDS)
    return made, hidden.opened(made, SEEDS)


def tables_of(hiding) -> dict[str, Table]:
    made = build_tables(hiding, decide(hiding), SPECS, side_by_side(hiding))
    return {table.name: table for table in made if table is not None}


def test_every_score_file_is_judged_once(drawn, seeds):
    _, hiding = drawn
    assert len(hiding.gender) == 3 * 9
    assert len(hiding.verification) == 3 * (9 + 3)
    assert len(hiding.identification) == 3 * 9
    assert len(hiding.attacks) == 3 * 4
    assert len(hiding.quality) == 8 * 160
    # own classifiers see the same originals, blurred and perturbed faces beside each SAN
    _, hiding = seeds
    own = Counter(i.about.protector for i in hiding.gender if i.about.evaluator == "own_cnn")
    assert own == {"original": 1, "san": 6, "mixing": 6, "blur": 1, "gradient_sign": 1}
    assert len(hiding.gender) == 2 * 9 + 2 * 15


def test_a_file_in_another_conditions_folder_is_named(drawn, tmp_path):
    made, _ = drawn
    condition = hidden.condition(hidden.World(8, 2, 50), tmp_path, "blur", "sigma2", 0)
    stray = made.root / "privacy/faces/seed0/san/op/scores/gender/own_cnn.parquet"
    path = condition / "scores/gender/own_cnn.parquet"
    write_gender(path, read_gender(stray))
    population = read_population("faces", made.card, made.parts)
    with pytest.raises(UserError, match=r"own_cnn.*of san op, seed 0, in the folder of blur"):
        load_hiding(population, [condition])
    with pytest.raises(UserError, match="the same condition as"):
        load_hiding(population, [condition, condition])
    (condition / "card.json").write_text("{}")
    with pytest.raises(UserError, match="protect them again"):
        read_condition(condition)


def test_a_subject_that_an_evaluator_passes_over_does_not_part_the_draws(tmp_path):
    world = hidden.World(12, 2, 100)
    made = hidden.build(tmp_path, world)
    for folder in made.conditions:
        path = folder / "scores/gender/own_cnn.parquet"
        scores = read_gender(path)
        rest = scores.frame[scores.frame["subject"] != "s003"]
        write_gender(path, replace(scores, frame=rest))
    hiding = hidden.opened(made, world, 20)
    for item in (*hiding.gender, *hiding.verification, *hiding.attacks):
        assert item.numbers.subjects.tolist() == [f"s{number:03d}" for number in range(12)]
    remarks = {part.remark for claim in decide(hiding) for part in claim.parts}
    assert IMPOSSIBLE not in remarks


def test_attacks_that_are_not_asked_for_stay_out(drawn):
    made, _ = drawn
    folder = made.root / "privacy/faces/seed0/san/op"
    population = read_population("faces", made.card, made.parts)
    assert load_hiding(population, [folder], resamples=5).attacks == ()
    assert len(load_hiding(population, [folder], [folder], resamples=5).attacks) == 4


def test_curves_show_five_conditions_of_one_seed(seeds):
    _, hiding = seeds
    nearest = nearest_mixing(hiding)
    found = [i for i in on_curves(hiding, hiding.gender) if i.about.evaluator == "own_cnn"]
    assert sorted((i.about.protector, i.about.mode, i.about.seed) for i in found) == [
        ("mixing", nearest, 0), ("original", "", 0),
        *(("san", mode, 0) for mode in ("nt", "op", "sm")),
    ]  # fmt: skip

    def eer(protector, mode):
        return np.mean(
            [weighted.eer_of(i.scores.scores, i.scores.labels)
             for i in hiding.gender if i.about.evaluator != "aux_gender"
             and (i.about.protector, i.about.mode) == (protector, mode)]
        )  # fmt: skip

    modes = ("alpha0.3", "alpha0.5", "alpha0.7")
    away = {mode: abs(eer("mixing", mode) - eer("san", "op")) for mode in modes}
    assert nearest == min(away, key=away.get)
    names = [condition.name for condition in chosen(hiding)]
    assert names[:4] == ["Before", "SAN SM", "SAN NT", "SAN OP"]
    assert names[5:] == ["Gaussian blur sigma 2", "Gradient sign eps 8"]


def test_a_system_is_shown_by_the_mode_that_stands_for_it(drawn):
    _, hiding = drawn
    own, modes = hiding.conditions[0], {
        "ensemble": ("member1", "average", "random"), "flowsan": ("stage1", "stage2", "stage3"),
        "privacynet": ("g", "a", "keep"), "pixelation": ("block2", "block4", "block8"),
    }  # fmt: skip
    added = [replace(own, protector=name, mode=mode) for name in modes for mode in modes[name]]
    found = chosen(replace(hiding, conditions=(own, *added)))
    assert [(each.protector, each.mode) for each in found[1:]] == [
        ("ensemble", "average"), ("flowsan", "stage3"), ("privacynet", "g"),
        ("pixelation", "block4"),
    ]  # fmt: skip


def test_every_set_that_privacynet_hides_has_its_faces(drawn):
    _, hiding = drawn
    own, *rest = hiding.conditions[:6]
    modes = ("g", "ar", "keep", "g-nocycle", "gar-nomatcher")
    sets = [
        replace(each, protector="privacynet", mode=mode, title="PrivacyNet")
        for each, mode in zip(rest, modes, strict=True)
    ]
    found = hide_set_faces(replace(hiding, conditions=(own, *sets)))
    assert list(dict.fromkeys(each.condition for each in found)) == [
        "Before", "PrivacyNet gender hidden", "PrivacyNet age, race hidden",
        "PrivacyNet nothing hidden",
    ]  # fmt: skip
    assert len({each.image for each in found}) == 6
    (face,) = (e for e in found[6:12] if e.image == found[0].image)
    index = pd.read_parquet(sets[0].folder / "index.parquet")
    row = index.index[index["image"] == face.image][0]
    assert np.array_equal(face.pixels, np.load(sets[0].folder / "images.npy")[row])
    assert hide_set_faces(replace(hiding, conditions=(own, sets[0], sets[3]))) == []
    assert hide_set_faces(hiding) == []


def test_seeds_have_a_row_of_their_mean(seeds):
    _, hiding = seeds
    table = tables_of(hiding)["gender-faces"]
    rows = [row.cells for row in table.rows if row.cells[0] == "Own CNN"]
    assert [cells[1] for cells in rows][7:10] == ["SAN OP, seed 0", "SAN OP, seed 1",
                                                   "SAN OP, 2 seeds"]  # fmt: skip
    each = [float(cells[3].split()[0]) for cells in rows[7:9]]
    mean, spread = map(float, rows[9][3].split(" ± "))
    assert mean == pytest.approx(np.mean(each), abs=0.11)
    assert spread == pytest.approx(np.std(each, ddof=1), abs=0.11)
    assert "± is the SD over seeds" in table.caption


def test_attack_table_has_separation_gain_and_worst_case(drawn):
    made, hiding = drawn
    long = attacks_table(hiding).long.set_index(["protector", "mode", "attack"]).sort_index()
    folder = made.root / "privacy/faces/seed0/san/op"

    def separation(path):
        scores = read_gender(path)
        return classification.separation(classification.area(scores.scores, scores.labels))

    own = {n: separation(folder / f"attacks/{n}.parquet") for n in hidden.ATTACKS}
    zero = max(separation(folder / f"scores/gender/{n}.parquet") for n in ("own_cnn", "hog_linear"))
    rows = long.loc["san", "op"]
    assert rows.loc["zero_effort", "separation"] == pytest.approx(zero)
    assert rows.loc["adaptive_cnn", "gain"] == pytest.approx(own["adaptive_cnn"] - zero)
    assert rows.loc["worst", "separation"] == pytest.approx(max(own.values()))
    assert rows.loc["worst", "gain_low"] > 0
    told = [row.cells[1] for row in attacks_table(hiding).rows if row.cells[0] == "SAN OP"]
    assert (told[0][:11], told[-1][:10]) == ("Zero effort", "Worst case")
    # who only tells that a face was protected has no gain, and is not the worst case of gender
    assert np.isnan(rows.loc["detection", "gain"])
    assert rows.loc["detection", "separation"] > 0.99


def test_population_table_counts_images_and_subjects(drawn):
    _, hiding = drawn
    long = population_table(hiding.population).long.set_index("part")
    assert long.loc["test", ["images", "subjects", "images_male"]].tolist() == [160, 40, 80]
    assert long.loc["all", ["images", "subjects"]].tolist() == [640, 160]
    assert "4 images (no face was found 3" in population_table(hiding.population).caption


def test_evaluators_tell_clean_accuracy_training_and_absence(drawn):
    made, hiding = drawn
    long = tables_of(hiding)["evaluators-faces"].long.set_index("evaluator")
    scores = read_gender(made.conditions[0] / "scores/gender/own_cnn.parquet")
    _, balanced = weighted.errors_at(scores.scores, scores.labels, 0.5)
    assert long.loc["own_cnn", "clean"] == pytest.approx(1 - balanced)
    match = made.conditions[0] / "scores/match/sface.original-original.all.parquet"
    scores = read_comparisons(match)
    eer = weighted.eer_of(scores.scores, scores.mated)
    assert long.loc["sface", "clean"] == pytest.approx(1 - eer)
    assert long["training"].fillna("").to_dict() == {
        "aux_gender": "seen", "own_cnn": "unseen", "hog_linear": "unseen",
        "aux_matcher": "seen", "own_matcher": "unseen", "sface": "unseen", "levi_hassner": "",
    }  # fmt: skip
    assert long.loc["levi_hassner", "reason"] == "its package could not be fetched"
    assert evaluators_table([], "faces") is None


def test_examples_are_the_faces_with_their_scores(drawn):
    made, hiding = drawn
    found = example_faces(hiding)
    assert Counter(each.gender for each in found) == {"female": 21, "male": 21}
    (one,) = (e for e in found if e.condition == "SAN OP" and e.image == "s003-0")
    folder = made.root / "privacy/faces/seed0/san/op"
    index = pd.read_parquet(folder / "index.parquet")
    row = index.index[index["image"] == "s003-0"][0]
    assert np.array_equal(one.pixels, np.load(folder / "images.npy")[row])
    scores = read_gender(folder / "scores/gender/own_cnn.parquet").frame.set_index("image")
    assert one.readings["Own CNN"] == scores.loc["s003-0", "score"]
    (folder / "images.npy").rename(folder / "away.npy")
    try:
        assert "SAN OP" not in {each.condition for each in example_faces(hiding)}
    finally:
        (folder / "away.npy").rename(folder / "images.npy")


def test_training_is_read_from_the_networks_folder(drawn):
    made, hiding = drawn
    (training,) = hiding.trainings
    assert training.seconds == 210 + 2 * 30
    assert training.pretrained == pytest.approx(20 + 3 * 1.3)
    assert (training.error_op, training.gender_error) == (0.9, 0.05)
    fields = {entry["field"]: entry["talk"] for entry in differences(training.recipe)}
    assert fields["size"] == 224
    assert "pixel" not in fields
    assert "seed" not in fields
    (made.sans[0] / "run.json").rename(made.sans[0] / "away.json")
    try:
        with pytest.raises(UserError, match="not readable"):
            read_training(made.sans[0])
    finally:
        (made.sans[0] / "away.json").rename(made.sans[0] / "run.json")


def test_a_card_of_two_data_sets(drawn, tmp_path):
    made, _ = drawn
    specs = {name: DatasetSpec(name, f"The {name} faces", "table", None, access="form",
                               known_problems=(f"Of {name}.",))
             for name in ("celeba", "lfw")}  # fmt: skip
    left_out = (LeftOut("celeba", "dark", 2), LeftOut("lfw", "dark", 1))
    card = PopulationCard("celeba_to_lfw", 112, (0, 0), specs, {"celeba": 5, "lfw": 3}, left_out)
    write_json(tmp_path / "card.json", asdict(card))
    found = read_population("celeba_to_lfw", tmp_path / "card.json", made.parts)
    assert (found.title, found.drawn, found.size) == ("CelebA to LFW", False, 112)
    assert found.left_out == {"CelebA: dark": 2, "LFW: dark": 1}
    for access, reader, drawn in (("generated", "drawn", True), ("generated", "table", False)):
        specs = {"faces": DatasetSpec("faces", "Faces", reader, None, access=access)}
        write_json(tmp_path / "one.json", asdict(replace(card, datasets=specs, left_out=())))
        one = read_population("faces", tmp_path / "one.json", made.parts)
        assert (one.title, one.drawn, one.left_out) == ("Faces", drawn, {})
    assert [each.title for each in found.sources] == ["The celeba faces", "The lfw faces"]
    assert [each.known_problems for each in found.sources] == [("Of celeba.",), ("Of lfw.",)]
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(UserError, match="not a population's card"):
        read_population("celeba_to_lfw", tmp_path / "card.json", made.parts)


def test_nobody_knows_whether_two_data_sets_share_people():
    def apart(*subjects: bool) -> str:
        sources = tuple(Source(f"d{k}", f"D{k}", subjects=each) for k, each in enumerate(subjects))
        return Population("d", "D", sources, pd.DataFrame()).apart

    unknown = "Whether the data sets share people is not known."
    assert apart(True) == "No subject is in two parts."
    assert apart(True, True) == f"Within each data set no subject is in two parts. {unknown}"
    assert "may be in two parts" in apart(False)
    assert apart(True, False) == f"{apart(False).replace('d0', 'd1')} {unknown}"


def test_names_keep_their_spelling():
    assert as_sentence("small network") == "Small network"
    assert as_sentence("blur, then a network") == "Blur, then a network"
    assert as_sentence("gender_net of the authors") == "gender_net of the authors"
