"""Each rule names the source files that its result depends on: Snakemake does not see imports."""

import re

import pytest

from softbio.sources import PRIVACY, PRIVACYNET, READERS, SCORING, TRAINING
from tests.conftest import ROOT
from tests.imports import reached_from

RULES = {
    name: text
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, text in re.findall(r"^rule (\w+):\n((?:(?!^\S).*\n)+)", file.read_text(), re.M)
}
SCRIPTS = {
    name: re.search(r'"\.\./scripts/(\w+\.py)"', text)[1]
    for name, text in RULES.items()
    if "script:" in text
}
# what checks, carries, tells or names, and does not change a number
ASIDE = {"errors", "files", "job", "schema", "progress", "sources", "plan/benchmark"}
ASIDE |= {
    f"engine/{name}" for name in ("provenance", "recipe", "resume", "snapshot", "state", "stopping")
}
ASIDE |= {"data/packed", "data/registry", "data/traits", "backbones/torchvision", "__init__"}
ASIDE |= {f"{name}/__init__" for name in ("backbones", "evaluators", "methods", "metrics")}
ASIDE |= {f"{name}/__init__" for name in ("privacy", "privacy/protectors", "results", "statistics")}
# these compute from images; the others read what these wrote, and know their modules as readers
# (and SAN takes of the age wing's networks no more than a copy of weights)
ELSEWHERE = "data/(?!audit$|pairs$)|engine/(model|device)$|backbones/"
ON_IMAGES = {"fetch_one", "prepare", "audit_split", "control", "predict", "evaluators", "align"}
ON_IMAGES |= {"used_evaluators"}


def named(text: str) -> set[str]:
    """Modules of code(...), packages of package(...) with a slash behind."""
    lists = " ".join(re.findall(r"code\(([^)]*)\)", text))
    found = set(re.findall(r'"((?:\w+/)*\w+)"', lists))
    found |= set(PRIVACY) if re.search(r"\*PRIVACY\b", lists) else set()
    found |= set(PRIVACYNET) if "*PRIVACYNET" in lists else set()
    found |= set(TRAINING) if "*TRAINING" in lists else set()
    found |= set(READERS) if "*READERS" in lists else set()
    found |= set(SCORING) if "*SCORING" in lists else set()
    packages = " ".join(re.findall(r"package\(([^)]*)\)", text))
    return found | {f"{name}/" for name in re.findall(r'"((?:\w+/)*\w+)"', packages)}


@pytest.mark.parametrize("rule", [name for name in SCRIPTS if name != "train"])
def test_what_a_rules_script_imports_is_named(rule):
    lists = named(RULES[rule])
    reached = reached_from(ROOT / "workflow/scripts" / SCRIPTS[rule], ASIDE)
    missing = {
        module
        for module in reached
        if (rule in ON_IMAGES or not re.match(ELSEWHERE, module))
        and module not in lists
        and f"{module.rpartition('/')[0]}/" not in lists
    }
    assert not missing, f"rule {rule}: add {sorted(missing)} to code(...)"


@pytest.mark.parametrize(("rule", "folder"), [("attack", "attacks"), ("protect", "protectors")])
def test_what_is_found_by_its_name_is_followed_too(rule, folder):
    """Modules of a registry are imported by their names: what they import counts as well."""
    lists = named(RULES[rule])
    paths = list((ROOT / "src/softbio/privacy" / folder).glob("[a-z]*.py"))
    assert len(paths) > 3, "nothing is looked at"
    for path in paths:
        reached = {name for name in reached_from(path, ASIDE) if not re.match(ELSEWHERE, name)}
        missing = {name for name in reached - lists if f"{name.rpartition('/')[0]}/" not in lists}
        assert not missing, f"rule {rule}, {path.name}: {sorted(missing)}"


def test_rules_were_found():
    assert {"train", "predict", "metrics", "statistics", "report", "L0"} <= set(SCRIPTS)
    assert {"attack", "protect", "san", "privacynet", "prepare", "align"} <= set(SCRIPTS)
