"""Configs: those we ship are valid, and what is wrong in another is named."""

import copy

import pytest
import yaml

from softbio.data.registry import load_registry
from softbio.engine.recipe import recipe_from
from softbio.errors import UserError
from softbio.plan.benchmark import load_benchmark
from softbio.results.run import Run
from softbio.schema import read_yaml, validate
from tests.conftest import ROOT

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
DATASETS = list(load_registry(ROOT / "config/datasets.yaml"))
CONFIGS = [ROOT / f"config/{name}.yaml" for name in ("config", "utkface", "utkface_cpu", "paper")]


def load(config: dict):
    return load_benchmark(copy.deepcopy(config), SCHEMA, DATASETS)


@pytest.fixture
def quick() -> dict:
    return read_yaml(ROOT / "config/config.yaml")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path):
    benchmark = load(read_yaml(path))
    assert len(set(benchmark.runs)) == len(benchmark.runs)
    assert all(benchmark.recipe(run).seed == run.seed for run in benchmark.runs)


def test_utkface_is_the_talks_recipe():
    benchmark = load(read_yaml(ROOT / "config/utkface.yaml"))
    recipes = {run.backbone: benchmark.recipe(run) for run in benchmark.runs}
    facts = {
        name: (r.size, r.crop, r.epochs, r.batch, r.learning_rate) for name, r in recipes.items()
    }
    assert facts == {
        "resnet34": (128, 120, 200, 256, 5e-4),
        "vgg": (128, 120, 200, 64, 5e-4),
        "inception_v3": (320, 299, 100, 64, 5e-4),
    }
    assert {(r.precision, r.bias, r.validation) for r in recipes.values()} == {("fp32", "zeros", 0)}
    # three methods and seeds for each backbone, two weighted methods for ResNet-34
    assert len(benchmark.runs) == 3 * 9 + 6


def test_any_run_has_a_recipe(quick):
    benchmark = load(quick)
    outside = Run("faces", "resnet34", "coral", "-weighted", 7)
    assert outside not in benchmark.runs
    assert benchmark.recipe(outside).seed == 7
    assert outside.folder == "faces/resnet34/coral-weighted/seed7"


def test_a_split_is_part_of_the_data_sets_name(quick):
    quick["grid"] = [quick["grid"][0] | {"protocols": ["published", "repaired"]}]
    benchmark = load(quick)
    assert benchmark.used_datasets == ("faces", "faces-repaired")
    assert {run.registered for run in benchmark.runs} == {"faces"}
    repaired = benchmark.runs[-1]
    assert repaired.folder.startswith("faces-repaired/small8/")
    assert benchmark.recipe(repaired).dataset == "faces-repaired"
    # nothing is asked for, nothing changes
    del quick["grid"][0]["protocols"]
    assert load(quick).used_datasets == ("faces",)


def test_what_stands_deeper_in_training_comes_over_the_rest(quick):
    quick["training"] |= {
        "epochs": 5,
        "datasets": {"faces": {"epochs": 6, "backbones": {"small8": {"epochs": 7}}}},
        "backbones": {"small8": {"epochs": 8, "batch": 3}, "small16": {"epochs": 9}},
        "methods": {"corn": {"batch": 4}},
    }
    benchmark = load(quick)

    def found(*names):
        recipe = benchmark.recipe(Run(*names, "", 0))
        return recipe.epochs, recipe.batch

    assert found("utkface", "resnet34", "ce") == (5, 32)
    assert found("faces", "resnet34", "ce") == (6, 32)
    assert found("faces-repaired", "small8", "corn") == (7, 4)
    assert found("faces", "small16", "ce") == (9, 32)
    assert found("utkface", "small8", "ce") == (8, 3)


@pytest.mark.parametrize(
    ("part", "name", "near"),
    [("datasets", "fases", "faces"), ("methods", "corral", "coral")],
)
def test_a_misspelt_name_in_training_is_told(quick, part, name, near):
    inner = {"backbones": {"small8": {part: {name: {"epochs": 1}}}}}
    with pytest.raises(UserError, match=f"training.{part}: '{name}' is unknown.*'{near}'"):
        load(change(quick, "training", quick["training"] | inner))


def change(config: dict, path: str, value) -> dict:
    *steps, last = path.split(".")
    place = config
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    place[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("trainig", {}, "key 'trainig' is unknown: did you mean 'training'"),
        ("training.epoch", 3, "key 'training.epoch' is unknown: did you mean 'epochs'"),
        ("training.backbones", {"vgg": {"bach": 1}}, "did you mean 'batch'"),
        ("training.backbones", {"vg": {"batch": 1}}, "backbone 'vg' is unknown: did you mean"),
        ("training.epochs", "ten", "training.epochs"),
        ("training.precision", "fp23", "did you mean 'fp32'"),
        ("training.crop", 40, "crop 40 is larger than size 36"),
        ("training.validation", 1.5, "training.validation"),
        ("grid.0.methods", ["corall"], "method 'corall' is unknown: did you mean 'coral'"),
        (
            "grid.0.backbones",
            ["resnet43"],
            "backbone 'resnet43' is unknown: did you mean 'resnet34'",
        ),
        ("grid.0.datasets", ["utkfaces"], "data set 'utkfaces' is unknown: did you mean 'utkface'"),
        ("grid.1.methods", ["ce"], "'ce' has no binary tasks"),
        ("grid.0.protocols", ["repared"], "did you mean 'repaired'"),
        ("grid.0.datasets", ["faces-repaired"], "grid.0.datasets"),
        ("grid.0.seeds", [-1], "grid.0.seeds.0"),
        ("name", "../quick", "name"),
        ("name", "a" * 200, "is too long"),
        ("name", 2024, "key 'name' is 2024; it must be text"),
        ("name", "published", "name 'published': results/published/ holds"),
        ("name", "record", "name 'record': results/record/ holds"),
        ("grid", None, "key 'grid' is empty; it must be a list"),
        ("grid.0.seeds", [1.0], "key 'grid.0.seeds.0' is 1.0; it must be a whole number"),
        ("grid.0.seeds", [True], "key 'grid.0.seeds.0' is True; it must be a whole number"),
        ("grid.0.seeds", [2**32], "grid.0.seeds.0"),
        ("training.epochs", 2.0, "key 'training.epochs' is 2.0; it must be a whole number"),
        # what YAML makes of learning_rate: 1e-3
        ("training.learning_rate", "1e-3", "which YAML takes for text: write 0.001"),
        # what Snakemake makes of --config 'training={epochs: 2}'
        ("training.epochs", "2", "key 'training.epochs' is '2', which is text: write it without"),
        ("training.learning_rate", float("inf"), "learning_rate is inf"),
        ("training.learning_rate", float("nan"), "learning_rate is nan"),
    ],
)
def test_what_is_wrong_is_named(quick, path, value, message):
    with pytest.raises(UserError) as caught:
        load(change(quick, path, value))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_keys_are_named(quick):
    del quick["training"]["epochs"]
    with pytest.raises(UserError, match="'epochs'"):
        load(quick)
    del quick["training"]
    with pytest.raises(UserError, match="lacks 'training'"):
        load(quick)


def test_yaml_is_data_never_code(tmp_path):
    hostile = tmp_path / "config.yaml"
    hostile.write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(UserError, match="not YAML"):
        read_yaml(hostile)
    hostile.write_text("a: [1\n")
    with pytest.raises(UserError, match="not YAML in line"):
        read_yaml(hostile)
    with pytest.raises(UserError, match="No such file"):
        read_yaml(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    "text", ["a: 2024-13-45", "a: !!int x", "a: !!bool x", "a: " + 5000 * "9", 3000 * "["]
)
def test_a_value_that_is_none_is_no_yaml_either(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"config.yaml: not YAML"):
        read_yaml(path)


@pytest.mark.parametrize("change", [{"grid": [{1: 2}]}, {"training": {"a": {1: 2}}}, {1: 2}])
def test_a_key_that_is_a_number_is_named(quick, change):
    with pytest.raises(UserError, match=r"key '[a-z0-9.]*1' is no text; write it in quotes"):
        load(quick | change)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "config.yaml: key 'a' stands twice, the second time in line 3;"),
        ("a: {b: 1, c: {d: 1,\n 'd': 2}}\n", "key 'd' stands twice, the second time in line 2;"),
        ("- {x: 1}\n- {x: 1, x: 1}\n", "key 'x' stands twice"),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path, text, message):
    """YAML itself takes the last, silently."""
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert yaml.safe_load(text)
    with pytest.raises(UserError, match=message):
        read_yaml(path)


def test_a_merge_may_be_overridden(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: {<<: *a, <<: *a}\n")
    assert read_yaml(path)["b"] == {"x": 3, "y": 2}


def test_defaults_come_from_the_schema(quick):
    validate(quick, SCHEMA, "config")
    assert quick["device"] == "auto"
    assert quick["grid"][0]["variants"] == ["plain"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("precision", "fp16"),
        ("bias", "random"),
        ("variant", "weighted"),
        ("epochs", 0),
        ("crop", 99),
        ("validation", 1.0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("seed", -1),
        ("seed", 2**32),
        ("epochs", "3"),
        ("batch", 8.0),
        ("crop", None),
        ("channels_last", 1),
        ("dataset", 7),
    ],
)
def test_recipes_check_themselves(field, value):
    good = {"dataset": "faces", "backbone": "small16", "method": "ce", "variant": "", "seed": 0}
    good |= {"size": 36, "crop": 32, "epochs": 1, "batch": 8, "learning_rate": 0.1}
    assert recipe_from(good).sha256 == recipe_from(dict(reversed(good.items()))).sha256
    with pytest.raises(UserError, match=field):
        recipe_from(good | {field: value})
    with pytest.raises(UserError, match="did you mean 'epochs'"):
        recipe_from(good | {"epoch": 1})


def test_a_recipe_that_lacks_something_says_what_and_where():
    values = {"dataset": "faces", "backbone": "small16", "method": "ce", "variant": ""}
    lacking = "'seed', 'size', 'crop', 'epochs', 'batch', 'learning_rate'"
    with pytest.raises(UserError, match=f"^here: lacks {lacking}; add it$"):
        recipe_from(values, where="here")
    with pytest.raises(UserError, match=r"^recipe: lacks 'batch'; add it$"):
        recipe_from(values | {"seed": 0, "size": 9, "crop": 8, "epochs": 1, "learning_rate": 0.1})


def test_the_conda_environment_has_the_pins_of_the_lock():
    lock = (ROOT / "envs/requirements.txt").read_text().splitlines()[1:]
    conda = yaml.safe_load((ROOT / "envs/softbio.yaml").read_text())
    assert conda["dependencies"][-1]["pip"] == lock
    assert "torch==2.13.0" in lock
    assert not [pin for pin in lock if "==" not in pin or "+" in pin]


def test_every_requirement_is_locked():
    lock = {
        line.split("==")[0].lower()
        for line in (ROOT / "envs/requirements.txt").read_text().splitlines()
    }
    wanted = (ROOT / "envs/requirements.in").read_text().splitlines()
    names = {line.split("==")[0].lower() for line in wanted if line and not line.startswith("#")}
    assert names <= lock


def test_one_of_both_halves_is_asked_for(quick):
    alone = change(quick, "grid", [])
    assert load(alone).hiding.population == "portraits"
    with pytest.raises(UserError, match="neither `grid` nor"):
        load(change(alone, "privacy", {}))


def test_a_line_break_at_the_end_of_a_name_is_no_part_of_it(quick):
    quick["name"] = "quick\n"
    with pytest.raises(UserError, match="key 'name'"):
        load(quick)
