"""The results of one population's score files, written once: tables, figures, claims."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib

from softbio.evaluators.registry import EvaluatorSpec
from softbio.figures.base import Figure, NotShown
from softbio.figures.curves import inks
from softbio.figures.family import prototypes, stages
from softbio.figures.hiding import attacks, examples
from softbio.figures.matching import det, identification, roc
from softbio.figures.privacy import gender_roc, plane
from softbio.figures.selectivity import selectivity as selectivity_map
from softbio.figures.side_by_side import together
from softbio.files import atomic, write_json
from softbio.hiding.claim import Claim
from softbio.hiding.claims import as_record, decide
from softbio.hiding.curves import first_seeds, on_curves
from softbio.hiding.evaluators import evaluators
from softbio.hiding.family import series
from softbio.hiding.family_claims import sentences as of_family
from softbio.hiding.headline import headline
from softbio.hiding.load import ATTACK, NONE, Hiding
from softbio.hiding.population import Training
from softbio.hiding.selectivity import lines
from softbio.hiding.side_by_side import SideBySide, side_by_side
from softbio.hiding.terms import terms
from softbio.hiding.told import sentences
from softbio.privacy.recipe import san_recipe
from softbio.report.hiding.faces import example_faces, hide_set_faces
from softbio.report.hiding.portraits import portraits
from softbio.results.scores import KINDS
from softbio.tables.family import family_tables
from softbio.tables.hiding import (
    attacks_table,
    claims_table,
    evaluators_table,
    population_table,
)
from softbio.tables.layout import Table, save
from softbio.tables.privacy import gender_errors, matching
from softbio.tables.privacy import identification as identification_table
from softbio.tables.quality import quality
from softbio.tables.selectivity import attribute_errors, selectivity
from softbio.tables.side_by_side import side_by_side_table
from softbio.tables.trained import trained_table

EXAMPLES, PROTOTYPES, TOGETHER = "examples", "prototypes", "side by side"
SETS = "hide-sets", "Faces by what PrivacyNet hides"
# stems of the tables and figures in the section on ensemble and series
FAMILY = ("ensemble", "diversity", "flowsan", PROTOTYPES)
FIRST = "Of several seeds the first is shown; the tables have all."
# fields of a recipe that identify the run
OF_THE_RUN = {"dataset", "seed"}


def build_tables(
    hiding: Hiding,
    claims: list[Claim],
    specs: Mapping[str, EvaluatorSpec],
    beside: SideBySide | None,
) -> Iterator[Table | None]:
    """In the report's order; None where there is nothing to show."""
    yield side_by_side_table(beside, hiding.dataset)
    yield selectivity(hiding, lines(hiding))
    yield gender_errors(hiding.gender)
    yield attribute_errors(hiding.attributes)
    yield matching(hiding.verification)
    for pairs in sorted({item.about.pairs for item in hiding.matching} - {hiding.pairs}):
        table = matching([i for i in hiding.matching if i.about.pairs == pairs])
        yield replace(table, name=f"{pairs}-{table.name}", title=f"{table.title}, {pairs}")
    yield identification_table(hiding.identification)
    yield attacks_table(hiding)
    yield from family_tables(hiding)
    yield quality(hiding.quality, hiding.dataset)
    yield trained_table(hiding.trained, hiding.dataset)
    yield evaluators_table(evaluators(hiding, specs), hiding.dataset)
    yield replace(population_table(hiding.population), name=f"population-{hiding.dataset}")
    yield claims_table(claims, hiding.dataset)


def _drawings(
    hiding: Hiding, beside: SideBySide | None
) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """(name, how to draw it) in the report's order, without examples."""
    yield TOGETHER, lambda: together(beside, hiding.dataset)
    gender, pairs = on_curves(hiding, hiding.gender), on_curves(hiding, hiding.verification)
    gallery = on_curves(hiding, hiding.identification)
    every = first_seeds(hiding.gender), first_seeds(hiding.verification)
    if (matrix := selectivity(hiding, lines(hiding))) is not None:
        yield "selectivity", lambda: selectivity_map(matrix.long, hiding.dataset)
    yield "plane", lambda: plane(*every)
    yield "gender ROC", lambda: gender_roc(gender)
    first = replace(hiding, attacks=tuple(first_seeds(hiding.attacks)))
    if (table := attacks_table(first)) is not None:
        yield "attacks", lambda: attacks(table.long, hiding.dataset, inks(first.attacks))
    for kind in KINDS[1:]:
        yield f"matching ROC, {kind}", lambda kind=kind: roc(pairs, kind)
    yield "matching DET", lambda: det(pairs)
    yield "CMC", lambda: identification(gallery)
    if (flow := series(hiding)) is not None:
        yield "FlowSAN", lambda: stages(flow, hiding.dataset)


def _renamed(item: Any, hiding: Hiding) -> Any:
    """A table or figure under the population's name: two populations can share their test set, but
    an anchor must be unique on a page."""
    stem = item.name.removesuffix(f"-{hiding.dataset}")
    return replace(item, name=f"{stem}-{hiding.population.name}")


def _write_figures(hiding: Hiding, beside: SideBySide | None, folder: Path, apart: Path) -> None:
    """The figures and index.json; faces of photographs into a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    apart.mkdir(parents=True, exist_ok=True)
    made, absent, elsewhere = [], [], []

    def draw(name: str, drawing: Callable[[], Figure], place: Path) -> None:
        try:
            figure = _renamed(drawing(), hiding)
            if len(hiding.seeds) > 1 and name != TOGETHER:
                figure = replace(figure, caption=f"{figure.caption} {FIRST}")
        except NotShown as reason:
            absent.append({"name": name, "place": hiding.population.title, "reason": str(reason)})
            return
        figure.write(place)
        (made if place == folder else elsewhere).append(figure.entry())

    place = folder if hiding.population.drawn else apart
    draw(EXAMPLES, lambda: examples(example_faces(hiding), hiding.dataset), place)
    if sets := hide_set_faces(hiding):
        draw(SETS[0], lambda: examples(sets, hiding.dataset, *SETS), place)
    if faces := portraits(hiding):
        learnt = hiding.population.sources[0].name
        draw(PROTOTYPES, lambda: prototypes(faces, learnt, hiding.dataset), place)
    for name, drawing in _drawings(hiding, beside):
        draw(name, drawing, folder)
    index = {"figures": made, "absent": absent, "elsewhere": elsewhere}
    with atomic(folder / "index.json") as part:
        part.write_text(json.dumps(index, indent=1, ensure_ascii=False), encoding="utf-8")


def differences(recipe: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Fields in which a SAN's recipe differs from the talk's: field, ours, talk."""
    talk = asdict(san_recipe("talk", "any", 0))
    return [
        {"field": name, "ours": value, "talk": talk[name]}
        for name, value in recipe.items()
        if name in talk and name not in OF_THE_RUN and value != talk[name]
    ]


def _training(training: Training) -> dict[str, Any]:
    record = asdict(training)
    record["recipe"] = {k: v for k, v in training.recipe.items() if k not in OF_THE_RUN}
    return record


def _record(
    hiding: Hiding,
    claims: list[Claim],
    specs: Mapping[str, EvaluatorSpec],
    beside: SideBySide | None,
) -> dict:
    """What the page needs besides tables and figures."""
    people = hiding.population
    protectors = {c.title: c.citation for c in hiding.conditions if c.citation}
    beyond = dict.fromkeys(c.title for c in hiding.conditions if not c.in_talk)
    entries = evaluators(hiding, specs)
    return {
        "population": people.name,
        "dataset": hiding.dataset,
        "title": people.title,
        "drawn": people.drawn,
        "size": people.size,
        "without_subjects": people.without_subjects,
        "headline": headline(hiding, claims, beside),
        "side_by_side": sentences(beside),
        "claims": as_record(claims),
        "family": {
            "sentences": of_family(hiding),
            "shown": [f"{stem}-{people.name}" for stem in FAMILY],
        },
        "terms": terms(hiding),
        "sources": [asdict(source) for source in people.sources],
        "left_out": dict(people.left_out),
        "evaluators": [
            {
                "title": e.title,
                "kind": e.kind,
                "citation": e.citation,
                "licence": e.licence,
                "text": e.text,
                "reason": e.reason,
            }
            for e in entries
        ],
        "attacks": [asdict(each) for each in hiding.attack_names.values()],
        "absent": [asdict(each) for each in hiding.absent if each.kind == ATTACK],
        "protectors": protectors,
        "beyond_talk": list(beyond),
        "trainings": [_training(each) for each in hiding.trainings],
        "trained": [asdict(each) for each in hiding.trained],
        "differences": differences(hiding.trainings[0].recipe) if hiding.trainings else [],
        "seeds": list(hiding.seeds),
        "conditions": sum(each.protector != NONE for each in hiding.conditions),
    }


def write_hiding(
    hiding: Hiding, specs: Mapping[str, EvaluatorSpec], folder: Path | str, style: Path | str
) -> list[Claim]:
    """Write tables/, figures/, faces/ (example photographs, which no report embeds; empty for drawn
    faces) and claims.json; returns the claims.

    specs: the registry of evaluators; style: the figures' style file.
    """
    folder, claims, beside = Path(folder), decide(hiding), side_by_side(hiding)
    tables = [each for each in build_tables(hiding, claims, specs, beside) if each is not None]
    save([_renamed(table, hiding) for table in tables], folder / "tables")
    with matplotlib.rc_context(fname=style):
        _write_figures(hiding, beside, folder / "figures", folder / "faces")
    write_json(folder / "claims.json", _record(hiding, claims, specs, beside))
    return claims
