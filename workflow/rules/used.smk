# Which evaluators something is made with: what the rules of evaluators.smk and plan.smk depend on.

from softbio.evaluators.registry import (
    DETECTOR,
    LANDMARKS,
    as_used,
    find_evaluator,
    load_evaluators,
)

EVALUATORS = of_project("config/evaluators.yaml")
# Registry and receipt of the evaluators that something is made with. The registry and the receipt
# of all change with each other evaluator, which must not align faces or train networks anew.
USED = {
    "registry": "resources/evaluators/{used}.registry.yaml",
    "receipt": "resources/evaluators/{used}.receipt.json",
}
FINDERS = "finders"

with in_one_line():
    REGISTERED = load_evaluators(EVALUATORS)


wildcard_constraints:
    used="[a-z][a-z0-9_]*",


def used_files(name):
    """Registry and receipt of one evaluator, or of the networks that find and mark a face."""
    return {what: path.format(used=name) for what, path in USED.items()}


def used_params(wildcards):
    """Their entries as plain values: a change of another entry is none of these."""
    names = (DETECTOR, LANDMARKS) if wildcards.used == FINDERS else (wildcards.used,)
    with in_one_line():
        return {name: as_used(find_evaluator(REGISTERED, name)) for name in names}


def finders_of(wildcards):
    """The networks that find and mark a face; drawn ones come with their landmarks."""
    return used_files(FINDERS) if spec_of(wildcards).reader != "drawn" else {}
