# Evaluators out of packages, and faces aligned for them: geometry once, on the original image.

EVALUATORS = of_project("config/evaluators.yaml")
ALIGNED = "resources/aligned/{dataset}/{side}"


# For a machine with internet: snakemake --cores 1 evaluators. What can not be had is told in the
# receipt, and the rest goes on; with --forcerun evaluators behind it, it tries again.
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


# Once for all sizes that a data set is packed at, where its entry asks for `prepare: {align: ..}`.
rule face_points:
    input:
        sources=rules.fetch_one.output.sources,
        receipt=RECEIPT,
        registry=EVALUATORS,
        code=code(
            "data/alignment/points",
            "data/alignment/template",
            "data/file_names",
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
    message:
        "{wildcards.dataset}: look for the face in each image"
    script:
        "../scripts/face_points.py"


rule align:
    input:
        sources=rules.fetch_one.output.sources,
        receipt=receipt_of,
        registry=EVALUATORS,
        reader=reader_of,
        code=code(
            "data/alignment/align",
            "data/alignment/template",
            "data/expected",
            "data/file_names",
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
    message:
        "{wildcards.dataset}: align at {wildcards.side} px"
    script:
        "../scripts/align.py"
