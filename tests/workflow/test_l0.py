"""`snakemake L0`: with the authors' files, without them, with wrong ones."""

import shutil

import pytest
import yaml

from tests.workflow.test_workflow import CONFIG, copy_of_the_project, snakemake


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project in which nothing has run, and of the authors' runs those on MORPH-2:
    tests/published/test_l0.py judges all, without a process each."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("project"))
    entries = yaml.safe_load((folder / "config/authors.yaml").read_text())
    entries["datasets"] = {"morph2": entries["datasets"]["morph2"]}
    entries["runs"] = [run for run in entries["runs"] if run["dataset"] == "morph2"]
    (folder / "config/authors.yaml").write_text(yaml.safe_dump(entries))
    return folder


def test_without_files_it_says_how_to_get_them(project):
    run = snakemake(project, "L0")
    assert run.returncode != 0
    assert "snakemake --cores 1 L0 --config published=FOLDER" in run.stdout
    assert "Traceback" not in run.stdout


def test_a_damaged_file_stops_it_in_one_line(project, published, tmp_path):
    shutil.copytree(published, tmp_path / "given", ignore=shutil.ignore_patterns("v3-splits"))
    with open(tmp_path / "given/morph2/morph-coral__seed1/test_predictions.log", "a") as file:
        file.write(",3")
    run = snakemake(project, "L0", "--config", f"published={tmp_path / 'given'}")
    assert run.returncode != 0
    assert "morph-coral__seed1/test_predictions.log: sha256" in run.stdout
    assert "Traceback" not in run.stdout


def test_one_target_leads_to_the_table(project, published):
    run = snakemake(project, "L0", "--config", f"published={published}")
    assert run.returncode == 0, run.stdout
    folder = project / "results/published"
    names = {path.name for path in (folder / "tables").iterdir()}
    assert names >= {"l0.csv", "l0.md", "l0.tex", "index.json"}
    assert (folder / "tables/l0.md").read_text().count("| exact |") == 6
    assert len(list(folder.glob("age/*/*/*/*/metrics.json"))) == 6
    # the report of any configuration now plans with it, and asks for no files
    again = snakemake(project, "L0", "--config", f"published={published}")
    assert "Nothing to be done" in again.stdout
    plan = snakemake(project, "--dry-run")
    assert plan.returncode == 0, plan.stdout
    assert "the authors' predictions" not in plan.stdout


def test_a_report_waits_for_l0_where_the_files_are_given(project, published):
    shutil.rmtree(project / "results", ignore_errors=True)
    plan = snakemake(project, "--dry-run", "--config", f"published={published}")
    assert "L0: what follows from the authors' predictions" in plan.stdout


def test_the_name_published_is_taken(project, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(CONFIG | {"name": "published"}))
    run = snakemake(project, "--dry-run", "--configfile", str(config))
    assert "name 'published': results/published/ holds" in run.stdout
    assert "Traceback" not in run.stdout
