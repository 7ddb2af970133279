# Evaluators out of packages, and faces aligned for them, once, on the original images.

from softbio.evaluators.registry import (
    DETECTOR,
    LANDMARKS,
    bare,
    find_evaluator,
    load_evaluators,
)

EVALUATORS = of_project("config/evaluators.yaml")
ALIGNED = "resources/aligned/{dataset}/{side}"
# The receipt of one evaluator, for what is made with it. That of all evaluators changes with the
# registry, and an evaluator that is not used must not align faces or train networks anew.
FETCHED = "resources/evaluators/receipts/{evaluator}.json"

with in_one_line():
    REGISTERED = load_evaluators(EVALUATORS)


wildcard_constraints:
    evaluator="[a-z][a-z0-9_]*",


def registered(*names):
    """Entries of the registry as plain values, by name: what is made with them is made anew when one
    of them changes, and only then."""
    with in_one_line():
        specs = [find_evaluator(REGISTERED, name) for name in names]
    return {spec.name: asdict(bare(spec)) for spec in specs}


def fetched_params(wildcards):
    """The entry of the evaluator that is fetched."""
    return registered(wildcards.evaluator)


def detector_params(wildcards):
    """The entry of the network that finds a face."""
    return registered(DETECTOR)


def photographs(wildcards):
    """Whether faces have to be looked for in the images; drawn ones come with their landmarks."""
    return spec_of(wildcards).reader != "drawn"


def finders_of(wildcards):
    """Receipts of the networks that find and mark a face."""
    names = (DETECTOR, LANDMARKS) if photographs(wildcards) else ()
    return [FETCHED.format(evaluator=name) for name in names]


def finders_params(wildcards):
    """Their entries, by name."""
    return registered(DETECTOR, LANDMARKS) if photographs(wildcards) else {}


# For a machine with internet: snakemake --cores 1 evaluators. The receipt says what can not be had,
# and the rest goes on; --forcerun evaluators tries again.
rule evaluators:
    input:
        registry=EVALUATORS,
        code=code(
            "data/fetching/archives",
            "data/fetching/members",
            "data/fetching/streams",
            "evaluators/fetch",
            "evaluators/registry",
        ),
    output:
        receipt=RECEIPT,
    log:
        "logs/evaluators.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "evaluators: take them out of their packages"
    script:
        "../scripts/evaluators.py"


rule fetch_evaluator:
    input:
        code=code(
            "data/fetching/archives",
            "data/fetching/members",
            "data/fetching/streams",
            "evaluators/fetch",
            "evaluators/registry",
        ),
    output:
        receipt=FETCHED,
    log:
        "logs/evaluators-{evaluator}.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        entries=fetched_params,
    message:
        "{wildcards.evaluator}: take it out of its package"
    script:
        "../scripts/fetch_evaluator.py"


# Once for all sizes that a data set is packed at, where its entry asks for `prepare: {align: ..}`.
rule face_points:
    input:
        sources=rules.fetch_one.output.sources,
        receipt=FETCHED.format(evaluator=DETECTOR),
        code=code(
            "data/alignment/points",
            "data/alignment/template",
            "data/matching",
            "data/packing/fingerprints",
            "data/packing/journal",
            "data/packing/pictures",
            "data/readers/__init__",
            "data/splitlists",
            "evaluators/crop",
            "evaluators/fetch",
            "evaluators/finders",
            "evaluators/interface",
            "evaluators/registry",
            "evaluators/yunet",
        )
        + package("data/fetching"),
    output:
        points=POINTS,
    log:
        "logs/{dataset}/points.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_finding,
        mem_mb=memory_of_packing,
    params:
        entry=entry_of,
        entries=detector_params,
    message:
        "{wildcards.dataset}: look for the face in each image"
    script:
        "../scripts/face_points.py"


rule align:
    input:
        sources=rules.fetch_one.output.sources,
        receipts=finders_of,
        reader=reader_of,
        code=code(
            "data/alignment/align",
            "data/alignment/template",
            "data/expected",
            "data/matching",
            "data/readers/__init__",
            "data/splitlists",
            "evaluators/crop",
            "evaluators/faceapi",
            "evaluators/fetch",
            "evaluators/finders",
            "evaluators/interface",
            "evaluators/landmarks68",
            "evaluators/registry",
            "evaluators/tensorflow",
            "evaluators/yunet",
        )
        + package("data/fetching", "data/packing"),
    output:
        images=f"{ALIGNED}/images.npy",
        index=f"{ALIGNED}/index.parquet",
        rejected=f"{ALIGNED}/rejected.csv",
    log:
        "logs/{dataset}/align-{side}.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 1
    resources:
        runtime=minutes_of_finding,
        mem_mb=memory_of_packing,
    params:
        entry=entry_of,
        entries=finders_params,
    message:
        "{wildcards.dataset}: align at {wildcards.side} px"
    script:
        "../scripts/align.py"
