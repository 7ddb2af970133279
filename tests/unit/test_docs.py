"""What the documents say, done as they say it."""

import importlib.util
import re
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

import softbio.methods
from softbio import catalogue
from softbio.catalogue import PAGE
from softbio.data.packed import load_packed
from softbio.data.prepare import prepare
from softbio.data.registry import load_registry
from softbio.engine.predict import predict
from softbio.engine.train import train
from softbio.parameters import README, filled
from softbio.plan.benchmark import load_benchmark
from softbio.plan.estimate import estimates
from softbio.plan.judging_cost import attacking_cost, parts_of
from softbio.results.predictions import read_predictions
from softbio.schema import read_yaml
from tests.conftest import ROOT
from tests.unit.test_train import RECIPE

PAGES = ["README.md", "CONTRIBUTING.md", "config/README.md", "docs/cluster.md", "docs/transfer.md"]
PAGES += ["docs/datasets.md", "docs/adding-a-dataset.md", "docs/gpu.md", "docs/performance.md"]


def test_parameter_tables_are_those_of_the_schemas():
    assert README.read_text() == filled(README.read_text()), "run: make docs"


def test_the_page_on_data_sets_is_that_of_the_registry():
    assert PAGE.read_text() == catalogue.filled(PAGE.read_text()), "run: make docs"


def test_the_page_on_data_sets_prints_what_the_registry_holds():
    """By the YAML itself."""
    lines = PAGE.read_text().splitlines()
    entries = yaml.safe_load((ROOT / "config/datasets.yaml").read_text())
    for name, entry in entries.items():
        if entry["access"] == "generated":
            continue
        facts, files, licence = (x.split(" | ") for x in lines if x.startswith(f"| `{name}` |"))
        total, test = (entry["expected"].get(key) for key in ("images", "test"))
        images = [n for n in (total - (test or 0), test) if n] if total else []
        assert facts[3] == (" + ".join(f"{n:,}" for n in images) or "not stated")
        assert facts[2] == (" to ".join(map(str, entry["ages"] or [])) or "not labelled")
        assert facts[4] == (f"{sum(images) * 49152 / 1e9:.1f}" if images else "not stated")
        assert licence[1] == entry["licence"] + " |"
        for file in entry.get("files", ()):
            told = bool(file["url"]) and not file.get("optional")
            assert (f"`{file['name']}`" in files[1]) == told
        (problems,) = (line for line in lines if line.startswith(f"- `{name}`: "))
        assert all(" ".join(each.split()) in problems for each in entry["known_problems"])


def test_the_steps_to_the_papers_tables_are_commands_of_ours():
    text = PAGE.read_text()
    commands = re.findall(r"`(snakemake [^`]+)`", text)
    assert len(commands) >= 4
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    named = yaml.safe_load(example)["datasets"]
    paper = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    asked = {name for block in paper["grid"] for name in block["datasets"]}
    # MUCT is fetched
    assert set(named) == asked | {paper["privacy"]["train"]}


def test_the_example_method_trains_and_predicts(packed, tmp_path, monkeypatch):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    example = next(b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "METHOD =" in b)
    file = tmp_path / "emd.py"
    file.write_text(example)
    spec = importlib.util.spec_from_file_location("softbio.methods.emd", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "softbio.methods.emd", module)
    monkeypatch.setattr(softbio.methods, "METHODS", (*softbio.methods.METHODS, "emd"))
    recipe = replace(RECIPE, method="emd", epochs=25, learning_rate=3e-3, bias="zeros")
    train(recipe, packed, tmp_path, device="cpu")
    files = (tmp_path / "model.safetensors", packed, tmp_path / "predictions.parquet")
    predict(*files, device="cpu")
    about, frame = read_predictions(tmp_path / "predictions.parquet")
    assert (about.title, about.in_talk) == ("Squared EMD", False)
    frame = frame.query("selection == 'best'")
    assert (frame["label"] - frame["prediction"]).abs().mean() < 1.0  # the median's is 1.5


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page):
    text = (ROOT / page).read_text()
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    named = re.findall(r"`((?:src|config|workflow|envs|report|slurm|tests)/[\w./]+)`", text)
    places = [(ROOT / page).parent / name for name in linked] + [ROOT / name for name in named]
    generated = ("NAME.py", "by_person.py")
    for place in places:
        assert place.exists() or place.name in generated, f"{page} names {place}"


def test_no_path_of_one_machine_in_the_documents():
    for page in PAGES:
        assert not re.search(r"/(home|Users|mnt)/\w", (ROOT / page).read_text())


def test_the_example_data_set_is_packed(tmp_path):
    text = (ROOT / "config/README.md").read_text()
    example = next(b for b in re.findall(r"```yaml\n(.*?)```", text, re.S) if "mine:" in b)
    faces = tmp_path / "faces"
    faces.mkdir()
    generator = np.random.default_rng(0)
    for number in range(30):
        pixels = generator.integers(0, 256, (40, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(faces / f"{number}.png")
    lines = [f"{number}.png,{18 + number}" for number in range(30)]
    (faces / "labels.csv").write_text("file,age\n" + "\n".join(lines))
    datasets = yaml.safe_load(example)["datasets"]
    datasets["mine"]["source"] = str(faces)
    spec = load_registry(ROOT / "config/datasets.yaml", datasets)["mine"]
    prepare(spec, 16, tmp_path / "packed", tmp_path / "raw")
    packed = load_packed(tmp_path / "packed")
    assert (len(packed.index), packed.k) == (30, 63)
    assert set(packed.index["split"]) == {"train", "valid", "test"}
    assert (
        packed.index["age"] == packed.index["image"].str.removesuffix(".png").astype(int) + 18
    ).all()


@pytest.mark.parametrize("name", ["performance", "packing", "workflow_cost"])
def test_the_page_on_performance_prints_what_was_measured(name):
    text = (ROOT / "docs/performance.md").read_text().replace(",", "")
    for row in pd.read_csv(ROOT / f"docs/{name}.csv").itertuples():
        if name == "workflow_cost":
            line = f"| {row.measure} | {row.seconds:.2f} | {row.lowest:.2f} | {row.highest:.2f} |"
        elif name == "packing":
            line = f"| {row.source} | {row.images} | {row.images_per_second:.0f} "
            line += f"| {row.cpu_ms_per_image:.3f} | {row.peak_memory_mb} | {row.load:.1f} |"
        else:
            rates = " | ".join(f"{rate:.0f}" for rate in (row.engine, row.ceiling, row.authors))
            ratios = f"{row.engine_to_ceiling:.3f} | {row.engine_to_authors:.2f}"
            where = f"| {row.backbone} {row.crop} px | {row.precision} | {row.batch}"
            line = f"{where} | {rates} | {ratios} |"
        assert line.replace(",", "") in text


def test_the_commands_for_a_first_gpu_are_there():
    """Nobody has given them yet: their options are those of the benchmarks, what they make is that
    of the configs."""
    text = (ROOT / "docs/gpu.md").read_text()
    commands = re.findall(r"python (benchmarks/\w+\.py) (.*)", text)
    assert len(commands) >= 6
    for script, arguments in commands:
        options = re.findall(r"--[\w-]+", arguments)
        known = (ROOT / script).read_text()
        assert options
        assert all(f'add("{option}"' in known for option in options), script
    config = read_yaml(ROOT / "config/utkface.yaml")
    short = yaml.safe_load(re.search(r"echo '(.+)' > short.yaml", text)[1])
    assert 0 < short["training"]["epochs"] < config["training"]["epochs"]
    (block, *_) = config["grid"]
    trait, dataset, backbone, method = re.search(r"RUN=(.+)", text)[1].split("/")
    assert trait == "age"
    assert dataset in block["datasets"]
    assert backbone in block["backbones"]
    assert method in block["methods"]
    assert {0, 1, 2} == set(block["seeds"])
    hiding = read_yaml(ROOT / "config/celeba_lfw.yaml")["privacy"]
    folder = re.search(r"results/celeba_lfw/privacy/(\S+)/attacks", text)[1]
    assert folder == f"{hiding['train']}_to_{hiding['test']}/seed0/san/op"
    assert "op" in hiding["attacked"]["san"]
    parts = parts_of((202_599, 7_701))
    asked = attacking_cost(parts["attacker"] + parts["test"], 112, modes=3, gpu=True)
    for page in ("gpu", "cluster"):
        assert f"{asked.memory_mb:,}" in (ROOT / f"docs/{page}.md").read_text()


def test_the_page_on_clusters_lists_the_rules_that_are_submitted():
    """By the text of workflow/rules: which rules there are, run at home, and ask for a GPU."""
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    local = re.search(r"^localrules:\n((?:    .*\n)+)", text, re.M)[1]
    at_home = set(re.findall(r"(\w+),", local))
    blocks = re.split(r"^(?:use rule (\w+) as |rule )(\w+)(?: with)?:$", text, flags=re.M)[1:]
    rules = list(zip(blocks[::3], blocks[1::3], blocks[2::3], strict=True))
    own = {name: "gpu=int(ASKS_FOR_GPU)" in block for _, name, block in rules}
    asks = own | {name: own[base] for base, name, _ in rules if base}
    submitted = {name: gpu for name, gpu in asks.items() if name not in at_home}
    assert at_home < set(asks)
    page = (ROOT / "docs/cluster.md").read_text()
    table = page.partition("<!-- submitted:")[2].partition("<!-- submitted: end")[0]
    packing, networks, judging = (re.findall(r"`(\w+)`", row) for row in table.splitlines()[3:6])
    listed = dict.fromkeys(packing, False) | dict.fromkeys([*networks, *judging], True)
    assert listed == submitted
    assert len(listed) == len([*packing, *networks, *judging])


def test_the_hours_of_the_recipes_for_a_gpu_are_those_of_the_plan():
    rows = re.findall(
        r"^\| `(\w+\.yaml)` \| .* \| ([\d,.]+) GPU hours.* not run yet \|$",
        (ROOT / "config/README.md").read_text(),
        re.M,
    )
    registry = load_registry(ROOT / "config/datasets.yaml")
    schema = ROOT / "workflow/schemas/config.schema.yaml"
    for name, printed in rows:
        config = read_yaml(ROOT / "config" / name)
        specs = load_registry(ROOT / "config/datasets.yaml", config.get("datasets"))
        benchmark = load_benchmark(config, schema, list(registry))
        planned = estimates(benchmark, specs, ROOT / "no such folder")
        hours = sum(each.gpu_hours for each in planned)
        assert printed == f"{hours:,.{0 if hours > 10 else 1}f}", name
    asked = {p.name for p in (ROOT / "config").glob("*.yaml") if "\ndevice: cuda" in p.read_text()}
    assert {name for name, _ in rows} == asked


def test_every_config_that_can_be_run_is_listed():
    text = (ROOT / "config/README.md").read_text()
    listed = re.findall(r"^\| `(\w+\.yaml)` \|", text, re.M)
    runnable = [path.name for path in (ROOT / "config").glob("*.yaml") if "name" in read_yaml(path)]
    assert sorted(listed) == sorted(runnable)


def test_the_readme_cites_the_works_of_the_citation_file_by_the_same_titles():
    entry = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    (_, citing) = (ROOT / "README.md").read_text().split("## Citing")
    plain = " ".join(citing.replace("*", "").split())
    titles = [each["title"] for each in entry["references"]]
    assert len(titles) == 8
    assert [title for title in titles if title.casefold() not in plain.casefold()] == []
    assert "predicting and hiding personal traits" in titles[0]
