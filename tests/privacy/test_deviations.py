"""What the report will print of the differences from the sources."""

import inspect
import re
from dataclasses import astuple

from softbio.data.readers import celeba
from softbio.privacy.deviations import DEVIATIONS, variants
from softbio.privacy.plan import HidingPlan
from softbio.privacy.recipe import VARIANTS, san_recipe


def test_each_deviation_is_told_in_full_and_once():
    assert all(all(astuple(deviation)) for deviation in DEVIATIONS)
    assert len({deviation.theirs for deviation in DEVIATIONS}) == len(DEVIATIONS)


def test_the_defects_of_the_released_code_are_among_them():
    text = " ".join(deviation.theirs for deviation in DEVIATIONS)
    for defect in ("mirrors a face", "mean of the embeddings", "sums the matching term"):
        assert defect in text


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


def test_what_is_said_of_groups_is_what_the_readers_tell():
    text = ours_of("prototypes of eight groups")
    assert ("CelebA has young or old" in text) == ("age_group" in inspect.getsource(celeba))
    assert "tells no group" not in text


def test_that_mates_are_drawn_once_is_told_as_long_as_it_is_so():
    plan = HidingPlan("faces", None, (3, 4), {"mixing": ("alpha0.5",)}, {}, (), 1)
    seeds = [each.seed for each in plan.conditions() if each.protector == "mixing"]
    assert (seeds == [3]) == ("by the first seed" in ours_of("manual landmarks"))
