"""The registry of the evaluators that something is made with: their entries, without the texts."""

from dataclasses import replace

from softbio.evaluators.registry import Square, as_used, load_evaluators
from softbio.files import write_json

SPECS = load_evaluators()


def test_it_holds_all_that_an_evaluator_is_made_from(tmp_path):
    write_json(tmp_path / "used.yaml", {name: as_used(spec) for name, spec in SPECS.items()})
    read = load_evaluators(tmp_path / "used.yaml")
    assert list(read) == list(SPECS)
    about = ("licence", "provenance", "citation", "trained_on")
    for name, spec in SPECS.items():
        assert replace(read[name], **{key: getattr(spec, key) for key in about}) == spec


def test_a_corrected_text_changes_nothing_and_another_crop_or_file_does():
    spec = SPECS["landmarks68"]
    first = as_used(spec)
    texts = {"licence": "A", "provenance": "B", "citation": "C", "trained_on": ("lfw",)}
    assert as_used(replace(spec, **texts)) == first
    assert as_used(replace(spec, crop=Square(70, 56, 56))) != first
    weights = replace(spec.files["weights"], sha256="0" * 64)
    assert as_used(replace(spec, files={**spec.files, "weights": weights})) != first
