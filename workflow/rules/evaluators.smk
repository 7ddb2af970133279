# Evaluators out of packages, and faces aligned for them, once, on the original images.
ALIGNED = "resources/aligned/{dataset}/{side}"


# For a machine with internet: snakemake --cores 1 evaluators. The receipt says what cannot be had,
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


rule used_evaluators:
    input:
        code=code(
            "data/fetching/archives",
            "data/fetching/members",
            "data/fetching/streams",
            "evaluators/fetch",
            "evaluators/registry",
        ),
    output:
        registry=USED["registry"],
        receipt=USED["receipt"],
    log:
        "logs/evaluators-{used}.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        entries=used_params,
    message:
        "{wildcards.used}: take it out of its package"
    script:
        "../scripts/used_evaluators.py"


# Once for all sizes that a data set is packed at, where its entry asks for `prepare: {align: ..}`.
rule face_points:
    input:
        registry=USED["registry"].format(used=FINDERS),
        receipt=USED["receipt"].format(used=FINDERS),
        sources=rules.fetch_one.output.sources,
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
        unpack(finders_of),
        sources=rules.fetch_one.output.sources,
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
