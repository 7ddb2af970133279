"""What the report will print of the differences from the sources."""

import re
from dataclasses import astuple

from softbio.data.fetching.locate import Sources
from softbio.data.readers import celeba
from softbio.data.registry import load_registry
from softbio.privacy.deviations import CODE, DEVIATIONS, variants
from softbio.privacy.plan import HidingPlan
from softbio.privacy.recipe import VARIANTS, san_recipe
from tests import miniatures
from tests.conftest import ROOT


def test_each_deviation_is_told_in_full_and_once():
    assert all(all(astuple(deviation)) for deviation in DEVIATIONS)
    assert len({deviation.theirs for deviation in DEVIATIONS}) == len(DEVIATIONS)


def test_the_defects_of_the_released_code_are_among_them():
    text = " ".join(deviation.theirs for deviation in DEVIATIONS)
    for defect in ("mirrors a face", "mean of the embeddings", "sums the matching term"):
        assert defect in text


def source_of(theirs: str) -> str:
    (found,) = [d for d in DEVIATIONS if theirs in d.theirs]
    return found.source


def test_sources_are_those_that_were_read_and_recollections_are_marked():
    """As protocol-privacy.md has them: the papers' full texts were not available."""
    for read in ("average over 7 x 7 places", "bottleneck of 12 channels"):
        assert source_of(read) == CODE
    for recalled in ("weights both genders", "manual landmarks", "becomes another class"):
        assert "recalled, not checked" in source_of(recalled)
    assert "paper" not in {deviation.source for deviation in DEVIATIONS}


def ours_of(theirs: str) -> str:
    (found,) = [d for d in DEVIATIONS if theirs in d.theirs]
    return f"{found.ours}; {found.why}"


def named(text: str) -> set[str]:
    return set(re.findall(r"'(\w+)'", text)) & set(VARIANTS)


def test_variants_are_named_where_their_recipes_say_so_and_nowhere_else():
    recipes = {name: san_recipe(name, "faces", 0) for name in VARIANTS}
    kept = {name for name, each in recipes.items() if each.pixel_weight and each.pretrain_epochs}
    assert kept == {"drawn64", "faces64", "faces112"}
    assert named(ours_of("used in pre-training alone")) == kept | {"talk"}
    faster = {name for name, each in recipes.items() if each.combiner_rate > 1}
    assert {recipes[name].combiner_rate for name in faster} == {3}
    assert named(ours_of("names no rate of learning")) == faster
    assert variants(lambda values: values["size"] == 112) == "'faces112'"


def test_what_is_said_of_groups_is_what_the_readers_tell(tmp_path):
    text = ours_of("prototypes of eight groups")
    assert re.search(r"CelebA \w+ young or old", text)
    assert "tells no group" not in text
    miniatures.celeba(tmp_path / "celeba")
    lists = {
        "attributes": tmp_path / "celeba/list_attr_celeba.txt",
        "identity": tmp_path / "celeba/identity_CelebA.txt",
    }
    spec = load_registry(ROOT / "config/datasets.yaml")["celeba"]
    groups = celeba.records(spec, Sources(lists=lists)).frame["age_group"]
    assert set(groups) <= {"young", "old"}


def test_that_mates_are_drawn_once_is_told_as_long_as_it_is_so():
    plan = HidingPlan("faces", None, (3, 4), {"mixing": ("alpha0.5",)}, {}, (), 1)
    seeds = [each.seed for each in plan.conditions() if each.protector == "mixing"]
    assert seeds == [3]
    assert "by the first seed" in ours_of("manual landmarks")
