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
from softbio.parameters import README, filled
from softbio.predict import predict
from softbio.predictions import read_predictions
from softbio.schema import read_yaml
from softbio.train import train
from tests.conftest import ROOT
from tests.unit.test_train import RECIPE

PAGES = ["README.md", "CONTRIBUTING.md", "config/README.md", "docs/cluster.md", "docs/transfer.md"]
PAGES += ["docs/datasets.md", "docs/adding-a-dataset.md"]


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
        assert facts[2] == (" to ".join(map(str, entry["ages"] or [])) or "not told")
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
    train(recipe, packed, tmp_path)
    predict(tmp_path / "model.safetensors", packed, tmp_path / "predictions.parquet")
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


def test_the_record_prints_what_its_numbers_say():
    folder = ROOT / "results/record"
    runs = pd.read_csv(folder / "utkface_cpu/runs.csv", keep_default_na=False)
    runs = runs[runs["metric"] == "mae"].astype({"value": float})
    by_cell = runs.groupby(["method", "selection", "decoding"])["value"]
    rows = re.findall(
        r"^\| (\w+) \| (\w+) \| (\w+) \| ([\d.]+) ± ([\d.]+) \|$",
        (folder / "README.md").read_text(),
        re.M,
    )
    assert len(rows) == 3 * 2 * 2
    for *cell, mean, sd in rows:
        values = by_cell.get_group(tuple(cell))
        assert len(values) == 3
        assert (f"{values.mean():.2f}", f"{values.std():.2f}") == (mean, sd)


def test_the_record_of_both_splits_prints_what_its_numbers_say():
    folder = ROOT / "results/record"
    runs = pd.read_csv(folder / "utkface_splits/runs.csv", keep_default_na=False)
    runs = runs[(runs["metric"] == "mae") & (runs["decoding"] == "published")]
    runs = runs.astype({"value": float}).groupby(["dataset", "method", "selection"])["value"]
    number = r"([\d.]+ ± [\d.]+)"
    text = (folder / "README.md").read_text()
    rows = re.findall(rf"^\| (\w+) \| (\w+) \| {number} \| {number} \|$", text, re.M)
    assert len(rows) == 3 * 2
    for *cell, published, repaired in rows:
        for dataset, printed in (("utkface", published), ("utkface-repaired", repaired)):
            values = runs.get_group((dataset, *cell))
            assert len(values) == 3
            assert f"{values.mean():.2f} ± {values.std():.2f}" == printed


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


def test_the_record_of_hiding_prints_what_its_numbers_say():
    folder = ROOT / "results/record"
    text = (folder / "README.md").read_text().partition("## Hiding gender on LFW")[2]
    head, *rows = re.findall(r"^\| (.*) \|$", text, re.M)
    gender, matching = (
        pd.read_csv(folder / f"celeba_lfw_cpu/{name}.csv", keep_default_na=False)
        for name in ("gender", "matching")
    )
    matching = matching[matching["kind"] != "protected-protected"]
    numbers = {
        **gender.set_index(["protector", "mode", "evaluator"])["eer"],
        **matching[matching["pairs"] == "all"].set_index(["protector", "mode", "matcher"])[
            "tmr@0.01"
        ],
    }
    judges = head.split(" | ")[2:]
    assert {judge for *_, judge in numbers} == set(judges)
    printed = {}
    for row in rows[1:]:
        protector, mode, *cells = row.replace("–", "").split(" | ")
        printed |= {
            (protector, mode.strip(), judge): cell
            for judge, cell in zip(judges, cells, strict=True)
        }
    assert printed == {key: f"{100 * float(value):.1f}" for key, value in numbers.items()}


def test_the_record_of_the_family_prints_what_its_numbers_say():
    folder = ROOT / "results/record"
    text = (folder / "README.md").read_text().partition("## The family side by side on LFW")[2]
    head, _, *rows = re.findall(r"^\| (.*) \|$", text.partition("\n## ")[0], re.M)
    numbers = pd.read_csv(folder / "family_lfw_cpu/side_by_side.csv", keep_default_na=False)
    numbers = numbers[numbers["number"].isin(["eer", "eer_mean", "tmr"])].replace(
        {"by": {"": "mean"}}
    )
    values = numbers.set_index(["protector", "mode", "by"])["value"]
    judges = head.split(" | ")[3:]
    assert len(rows) == len(numbers[["protector", "mode"]].drop_duplicates())
    for row in rows:
        protector, mode, seeds, *cells = row.split(" | ")
        key = ("none", "original") if protector == "original" else (protector, mode)
        assert cells == [f"{100 * float(values[(*key, judge)]):.1f}" for judge in judges]
        assert set(numbers.set_index(["protector", "mode"]).loc[key, "seeds"]) == {int(seeds)}


def test_the_record_of_the_family_says_what_its_claims_say():
    folder = ROOT / "results/record"
    text = (folder / "README.md").read_text().partition("## The family side by side on LFW")[2]
    told = text.partition("\n## ")[0].split("\n- ")[1:]
    said = {each[: each.index(",")]: " ".join(each.split()) for each in told}
    claims = pd.read_csv(folder / "family_lfw_cpu/claims.csv")
    words = {name: own["word"].value_counts() for name, own in claims.groupby("claim")}
    turned = claims[(claims["claim"] == "C1") & claims["text"].str.contains("OP")]["value"]
    ends = [float(end) for end in re.search(r"(\d+) to (\d+) %", said["C1"]).groups()]
    assert ends == [round(100 * turned.min()), round(100 * turned.max())]
    kinds = claims[claims["claim"] == "C2"].groupby("text")["word"].value_counts()
    assert list(kinds) == [int(re.search(r"all (\d+)", said["C2"])[1])] * 2
    core = re.search(r"in (\d+) \(SAN\), (\d+) \(ensemble\) and (\d+) \(FlowSAN\)", said["C3"])
    cores = [words[name] for name in ("C3", "C3, Ensemble SAN", "C3, FlowSAN")]
    assert [int(held) for held in core.groups()] == [own["held"] for own in cores]
    assert all(own.sum() == 10 and "not held" not in own for own in cores)
    average = re.search(r"none of (\d+) comparisons, (\d+) of them", said["C4a"]).groups()
    assert "held" not in words["C4a"]
    assert [int(n) for n in average] == [words["C4a"].sum(), words["C4a"]["undecided"]]
    assert words["C4b"].to_dict() == {"held": int(re.search(r"all (\d+)", said["C4b"])[1])}
    diverse = [int(n) for n in re.search(r"in (\d+) of (\d+) .* (\d+) of", said["C4c"]).groups()]
    own = words["C4c"]
    assert diverse == [own["held"], own.sum(), own["undecided"]]
    more = [int(n) for n in re.search(r"in (\d+) of (\d+)", said["C6"]).groups()]
    assert more == [words["C6"]["not held"], words["C6"].sum()]


def test_the_record_of_privacynet_prints_what_its_numbers_say():
    folder = ROOT / "results/record"
    text = (folder / "README.md").read_text().partition("## What PrivacyNet hides")[2]
    text = text.partition("\n## ")[0]
    head, _, *rows = re.findall(r"^\| (.*) \|$", text, re.M)
    numbers = pd.read_csv(folder / "privacynet_utkface_cpu/selectivity.csv", keep_default_na=False)
    expected = {}
    for row in numbers.itertuples():
        clean = row.protector == "original"
        cell = f"{100 * float(row.before if clean else row.change):{'.1f' if clean else '+.1f'}}"
        cell = cell.replace("-", "−")
        key = (row.protector, row.mode or "–", row.read)
        expected[key] = f"**{cell}**" if row.hidden else cell
    readers = head.split(" | ")[2:]
    printed = {
        (protector, mode, reader): cell
        for protector, mode, *cells in (row.split(" | ") for row in rows)
        for reader, cell in zip(readers, cells, strict=True)
    }
    assert printed == expected
    changes = numbers[numbers["change"] != ""].astype({"change_low": float, "change_high": float})
    widest = ((changes["change_high"] - changes["change_low"]) / 2).max()
    assert float(re.search(r"at most ±([\d.]+) points", text)[1]) == pytest.approx(
        100 * widest, abs=0.05
    )
    claims = pd.read_csv(folder / "privacynet_utkface_cpu/claims.csv")
    words = claims.loc[claims["claim"] == "C5", "word"].value_counts()
    told = re.search(r"of (\d+) parts of claim C5 .* (\d+) hold and (\d+),", " ".join(text.split()))
    assert [int(each) for each in told.groups()] == [words.sum(), words["held"], words["undecided"]]


def test_the_record_of_reading_gender_prints_what_its_numbers_say():
    folder = ROOT / "results/record"
    text = (folder / "README.md").read_text().partition("## Reading gender on CelebA")[2]
    numbers = pd.read_csv(folder / "celeba_gender_cpu/reading.csv", keep_default_na=False)
    keys = numbers[["selection", "by", "group", "metric"]].itertuples(index=False, name=None)
    values = ["value", "wilson_low", "wilson_high", "low", "high"]
    of = dict(zip(keys, numbers[values].itertuples(index=False, name=None), strict=True))
    rows = re.findall(r"^\| (\w+ \| .*) \|$", text.partition("\n## ")[0], re.M)[1:]
    assert len(rows) == (numbers["selection"] == "last").sum()
    for row in rows:
        selection, by, group, metric, *cells = row.split(" | ")
        printed = [value for cell in cells for value in cell.split(" to ")]
        known = of[selection, by, group.replace("–", ""), metric]
        expected = [f"{100 * float(value):.2f}" if value != "" else "–" for value in known]
        assert printed == expected, (selection, by, group, metric)
    more = re.search(r"([\d.]+) points more \(([\d.]+) to ([\d.]+), by our", text)
    value, *_, low, high = (float(each) for each in of["last", "all", "", "accuracy"])
    expected = [97.52 - 100 * each for each in (value, high, low)]
    assert [f"{each:.2f}" for each in expected] == list(more.groups())


def test_every_config_that_can_be_run_is_listed():
    text = (ROOT / "config/README.md").read_text()
    listed = re.findall(r"^\| `(\w+\.yaml)` \|", text, re.M)
    runnable = [path.name for path in (ROOT / "config").glob("*.yaml") if "name" in read_yaml(path)]
    assert sorted(listed) == sorted(runnable)
