"""What is told before a run: totals, data sets that lack, and what a config leaves out."""

import copy
from dataclasses import replace

import pytest

from softbio.data.registry import DatasetSpec, Expected, load_registry
from softbio.errors import UserError
from softbio.files import write_json
from softbio.plan.absence import absences, left_out
from softbio.plan.benchmark import load_benchmark
from softbio.plan.cost import auxiliary_hours, privacynet_hours, san_cost, san_hours, training_hours
from softbio.plan.estimate import as_text, counts_of, estimates
from softbio.privacy.networks import trained_networks
from softbio.privacy.plan_recipe import plan_from
from softbio.published.numbers import GMAC, gpu_hours, read_published, talk_recipe
from softbio.reading import notebook
from softbio.schema import read_yaml
from tests import miniatures
from tests.conftest import ROOT

REGISTRY = load_registry(ROOT / "config/datasets.yaml")
PUBLISHED = read_published(ROOT / "config/published.csv")
CLOSED = ["celeba", "morph2", "afad", "utkface", "cacd"]


def closed(spec: DatasetSpec) -> DatasetSpec:
    """The entry with no archive for download, and for CelebA with no list either."""
    files = [
        replace(file, url=None, mirrors=())
        if file in spec.archives or spec.name == "celeba"
        else file
        for file in spec.files
    ]
    return replace(spec, files=tuple(files))


# of the registry's own entries few are closed, and fewer by the year
ASKED_FOR = REGISTRY | {name: closed(REGISTRY[name]) for name in CLOSED}


def load(**changes):
    config = read_yaml(ROOT / "config/paper.yaml") | changes
    schema = ROOT / "workflow/schemas/config.schema.yaml"
    return load_benchmark(copy.deepcopy(config), schema, list(REGISTRY))


@pytest.fixture(scope="module")
def paper():
    return load()


def test_the_paper_config_has_the_talks_recipes_in_all_cells(paper):
    """Against published.csv: each average that the talk prints has its seeds here."""
    talk = PUBLISHED[(PUBLISHED["protocol"] == "9bcff82") & (PUBLISHED["metric"] == "mae")]
    printed = {
        (row.dataset, row.backbone, row.method, "-weighted" if row.weighted == "yes" else "", seed)
        for row in talk[talk["seed"] == "avg"].itertuples()
        for seed in (0, 1, 2)
    }
    gender = PUBLISHED[PUBLISHED["metric"] == "accuracy"]
    # the notebook's seed is printed nowhere in the talk
    printed |= {(row.dataset, row.backbone, row.method, "", 1) for row in gender.itertuples()}
    planned = {(r.dataset, r.backbone, r.method, r.variant, r.seed) for r in paper.runs}
    assert planned == printed
    for run in paper.runs:
        recipe = paper.recipe(run)
        theirs = talk_recipe(run.dataset, run.backbone, run.method)
        if REGISTRY[run.dataset].trait == "gender":
            theirs = notebook.RECIPE
        assert {field: getattr(recipe, field) for field in theirs} == theirs, run


def test_vgg_has_the_rates_of_the_authors_scripts(paper):
    found = {
        (r.dataset, r.method): (paper.recipe(r).learning_rate, paper.recipe(r).epochs)
        for r in paper.runs
        if r.backbone == "vgg"
    }
    assert found["afad", "ce"] == (5e-5, 100)
    assert found["afad", "coral"] == (5e-5, 200)
    assert found["cacd", "orcnn"] == (1e-5, 200)
    assert found["utkface", "ce"] == found["morph2", "ce"] == (5e-4, 200)


def test_the_registry_counts_what_the_split_lists_hold():
    for name in CLOSED[1:]:
        for part in ("train", "test"):
            rows = PUBLISHED[(PUBLISHED["protocol"] == "9bcff82") & (PUBLISHED["dataset"] == name)]
            (printed,) = rows.loc[rows["metric"] == f"images_{part}", "value"]
            assert REGISTRY[name].expected.parts[part] == printed


def test_printed_totals_are_the_sums_of_the_published_figures(paper, tmp_path):
    """GPU hours from the journal's logs by another path, bytes by hand."""
    text = as_text("paper", estimates(paper, REGISTRY, tmp_path), gpu=True)
    rows = {line[:14].strip(): line[14:].split() for line in text.splitlines()}
    images = {"morph2": 55_224, "afad": 164_418, "utkface": 16_434, "cacd": 159_449}
    for name, number in images.items():
        # images, runs, conditions, GPU hours, packed GB, archive GB
        assert rows[name][:3] == [f"{number:,}", "33", "-"]
        hours = 15 * gpu_hours(PUBLISHED, name, "resnet34")
        hours += 9 * sum(gpu_hours(PUBLISHED, name, other) for other in ("vgg", "inception_v3"))
        if name == "afad":
            hours -= 1.5 * gpu_hours(PUBLISHED, name, "vgg")
        assert float(rows[name][3].replace(",", "")) == pytest.approx(hours, rel=0.1)
        assert rows[name][4] == f"{number * 3 * (128**2 + 320**2) / 1e9:.1f}"
        assert rows[name][5] == "unknown"
    # one run, of which the talk prints the minutes; estimated as if all images were trained with
    (minutes,) = PUBLISHED[(PUBLISHED["metric"] == "minutes") & (PUBLISHED["dataset"] == "celeba")][
        "value"
    ]
    assert rows["celeba"][:3] == ["202,599", "1", "-"]
    assert float(rows["celeba"][3]) == pytest.approx(minutes / 60, rel=0.2)
    assert rows["celeba"][4] == f"{202_599 * 3 * 128**2 / 1e9:.1f}"
    faces = 202_599 + 3_755
    # canvas of 336 px, face, two prototypes; 17 copies of the attacker's quarter and of MUCT
    disk = 3 * (faces * (336**2 + 3 * 224**2) + 17 * (202_599 / 4 + 3_755) * 224**2) / 1e9
    # three SANs with a classifier each, and the own matcher
    assert rows["celeba to muct"][:3] == [f"{faces:,}", "7", "17"]
    assert float(rows["celeba to muct"][4]) == pytest.approx(disk, abs=0.1)
    named = ("celeba", *images, "celeba to muct")
    total = [sum(float(rows[n][c].replace(",", "")) for n in named) for c in (0, 1, 3, 4)]
    printed = [float(rows["total"][c].replace(",", "")) for c in (0, 1, 3, 4)]
    assert printed == pytest.approx(total, abs=0.3)
    assert text.splitlines()[8].endswith("unknown")


def test_hours_are_the_authors_rate_without_the_clusters_allowance(paper):
    run = next(r for r in paper.runs if (r.dataset, r.backbone) == ("utkface", "resnet34"))
    recipe = paper.recipe(run)
    assert training_hours(recipe, 13_147) == pytest.approx(13_147 * 200 / 775 / 3600, rel=0.03)
    vgg = replace(recipe, backbone="vgg")
    ratio = training_hours(vgg, 1000) / training_hours(recipe, 1000)
    assert ratio == pytest.approx(GMAC["vgg"] / GMAC["resnet34"], rel=0.01)
    plan = plan_from(paper.privacy, "celeba", 0)
    asked = san_cost(plan, 80_000, gpu=True).minutes - 10
    # whole minutes at half the rate
    assert 60 * san_hours(plan, 80_000) == pytest.approx(asked / 2, abs=0.5)


def test_a_cpu_has_no_gpu_hours_and_the_unknown_is_called_so(paper, tmp_path):
    registry = REGISTRY | {"utkface": replace(REGISTRY["utkface"], expected=Expected())}
    found = estimates(paper, registry, tmp_path)
    text = as_text("paper", found, gpu=True)
    line = next(line for line in text.splitlines() if line.startswith("utkface"))
    assert line.split() == ["utkface", "unknown", "33", "-", "unknown", "unknown", "unknown"]
    total = next(line for line in text.splitlines() if line.startswith("total"))
    assert total.count("+ unknown") == 3
    assert "GPU" not in as_text("paper", found, gpu=False)


def test_a_data_card_counts_before_the_registry(tmp_path):
    spec = REGISTRY["utkface"]
    assert counts_of(spec, tmp_path) == {"train": 13_147, "test": 3_287}
    counted = {"train": 5, "valid": 1, "test": 2}
    (tmp_path / "utkface/48").mkdir(parents=True)
    write_json(tmp_path / "utkface/48/card.json", {"counts": counted})
    assert counts_of(spec, tmp_path) == counted
    assert counts_of(REGISTRY["faces"], tmp_path) == {"all": 3000}


def test_images_that_were_counted_with_other_options_do_not_count(tmp_path):
    for change, counted in (({}, {}), ({"expected": {"images": 7}}, {"all": 7})):
        celeba = {"options": {"images": 7}} | change
        spec = load_registry(ROOT / "config/datasets.yaml", {"celeba": celeba})["celeba"]
        assert counts_of(spec, tmp_path) == counted


def test_without_a_data_card_the_expected_images_count(tmp_path):
    known = {name: counts_of(REGISTRY[name], tmp_path) for name in ("celeba", "lfw", "ar_face")}
    # no split of CelebA is published; nothing of LFW trains; AR-Face's images are not known
    assert known == {"celeba": {"all": 202_599}, "lfw": {"test": 7_701}, "ar_face": {}}


def test_what_is_for_download_is_not_absent(paper, tmp_path):
    names = [each.dataset for each in absences(paper, REGISTRY, tmp_path)]
    assert names == [name for name in CLOSED if REGISTRY[name].access in ("form", "paid")]


def test_what_nobody_can_download_is_absent(paper, tmp_path):
    found = absences(paper, ASKED_FOR, tmp_path)
    # MUCT is for download
    assert [each.dataset for each in found] == CLOSED
    assert all(f"data set '{each.dataset}': " in each.text for each in found)
    both = "1 run and the half on hiding gender"
    assert [str(each) for each in found] == [both] + ["33 runs"] * 4


def test_what_lies_here_in_any_form_is_not_absent(paper, tmp_path):
    parts = tmp_path / "afad"
    parts.mkdir()
    for end in ("aa", "ab"):
        (parts / f"AFAD-Full.tar.xz{end}").write_bytes(b"x")
    registry = ASKED_FOR | {"afad": replace(ASKED_FOR["afad"], source=parts)}
    resources = tmp_path / "resources"
    for made in ("raw/morph2/sources.json", "packed/cacd/128/card.json"):
        (resources / made).parent.mkdir(parents=True)
        (resources / made).write_text("{}")
    (resources / "raw/utkface").mkdir()
    (resources / "raw/utkface/UTKFace.tar.gz").write_bytes(b"")
    assert [each.dataset for each in absences(paper, registry, resources)] == ["celeba"]
    # the archive alone is not enough: no list of CelebA is for download
    (resources / "raw/celeba").mkdir()
    (resources / "raw/celeba/img_align_celeba.zip").write_bytes(b"")
    (celeba,) = absences(paper, registry, resources)
    assert "img_align_celeba.zip is not there" not in celeba.text


def test_nothing_is_left_out_unasked(paper, tmp_path):
    absent = absences(paper, ASKED_FOR, tmp_path)
    assert left_out(paper, absent) == (paper, [])


def test_a_half_is_left_out_where_either_of_its_data_sets_lacks(tmp_path):
    paper = load(missing="skip")
    miniatures.muct(tmp_path / "muct")
    registry = ASKED_FOR | {"utkface": replace(ASKED_FOR["utkface"], source=tmp_path)}
    absent = absences(paper, registry, tmp_path)
    rest, skipped = left_out(paper, absent)
    assert {run.dataset for run in rest.runs} == {"utkface"}
    assert rest.hiding.population is None
    assert rest.hiding.conditions() == []
    assert [each.dataset for each in skipped] == ["celeba", "morph2", "afad", "cacd"]
    for name in ("celeba", "muct"):
        rest = paper.without([name])
        assert rest.hiding.population is None
        assert rest.runs == tuple(run for run in paper.runs if run.dataset != name)


def test_a_source_that_is_named_and_wrong_is_never_left_out(tmp_path):
    paper = load(missing="skip")
    registry = ASKED_FOR | {"afad": replace(ASKED_FOR["afad"], source=tmp_path / "nowhere")}
    rest, skipped = left_out(paper, absences(paper, registry, tmp_path))
    assert {run.dataset for run in rest.runs} == {"afad"}
    assert "afad" not in {each.dataset for each in skipped}


def test_where_all_lack_each_is_named(tmp_path):
    paper = load(missing="skip")
    with pytest.raises(UserError) as caught:
        left_out(paper, absences(paper, ASKED_FOR, tmp_path))
    first, *rest = str(caught.value).splitlines()
    assert first == "config: nothing is left to run"
    assert len(rest) == len(CLOSED)


def test_every_network_of_the_family_counts_once(tmp_path):
    """By hand for one seed: what single SAN, ensembles and series share is trained once."""
    config = read_yaml(ROOT / "config/family_lfw.yaml")
    overrides = config.pop("datasets")
    config["privacy"]["seeds"] = [4]
    schema = ROOT / "workflow/schemas/config.schema.yaml"
    benchmark = load_benchmark(config | {"datasets": {}}, schema, list(REGISTRY))
    found = trained_networks(benchmark.privacy, benchmark.hiding)
    # the single SAN, three members, two stages more; three classifiers of each kind, among them the
    # single one's; one PrivacyNet
    assert (len(found.plans), len(found.auxiliaries), len(found.privacynets)) == (6, 9, 1)
    registry = load_registry(ROOT / "config/datasets.yaml", overrides)
    (estimate,) = estimates(benchmark, registry, tmp_path)
    assert (estimate.images, estimate.runs) == (41_583, 17)
    learnt = 20_000
    (net,) = found.privacynets
    hours = [san_hours(plan, learnt) for plan in found.plans]
    hours += [auxiliary_hours(recipe, learnt) for recipe in found.auxiliaries]
    hours.append(privacynet_hours(*net, learnt))
    # and the own matcher, which judges
    assert sum(hours) < estimate.gpu_hours < 1.1 * sum(hours)

    def asked_for(**protectors):
        hiding = replace(benchmark.hiding, diversity=(), protectors=protectors)
        found = trained_networks(benchmark.privacy | {"san": {}}, hiding)
        return len(found.plans), len(found.auxiliaries), len(found.privacynets)

    # one step of gradient sign needs a classifier; without `san` the matcher in the loss is an own
    assert asked_for(gradient_sign=("eps8",), privacynet=("g", "r-nocycle", "keep")) == (0, 2, 2)
    assert asked_for(gradient_sign=("eps8",)) == (0, 1, 0)
    assert asked_for(blur=("sigma2",)) == (0, 0, 0)
