# fetch -> prepare -> audit: one packed array for each data set and size, and its repaired split.

AUDIT = f"{PACKED}/audit.json"
# data set -> its audit, at a size that its runs use; the findings are the same at all
AUDITS = {
    run.registered: AUDIT.format(dataset=run.registered, size=size_of(run.dataset))
    for run in BENCHMARK.runs
}


rule fetch_one:
    input:
        source=source_of,
        code=package("data/fetching"),
    output:
        sources="resources/raw/{dataset}/sources.json",
    log:
        "logs/{dataset}/fetch.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        entry=entry_of,
        placed=placed_of,
    message:
        "{wildcards.dataset}: find or fetch its files"
    script:
        "../scripts/fetch.py"


# All that a config needs, for compute nodes without internet: snakemake --cores 1 fetch
rule fetch:
    input:
        expand(rules.fetch_one.output.sources, dataset=BENCHMARK.needed),


rule prepare:
    input:
        unpack(points_of),
        sources=rules.fetch_one.output.sources,
        reader=reader_of,
        code=code(
            "data/alignment/crops",
            "data/alignment/points",
            "data/alignment/template",
            "data/card",
            "data/expected",
            "data/file_names",
            "data/prepare",
            "data/readers/__init__",
            "data/splitlists",
            "data/work",
        )
        + package("data/fetching", "data/packing"),
    output:
        images=f"{PACKED}/images.npy",
        index=f"{PACKED}/index.parquet",
        card=f"{PACKED}/card.json",
        fingerprints=f"{PACKED}/fingerprints.parquet",
        rejected=f"{PACKED}/rejected.csv",
    log:
        "logs/{dataset}/prepare-{size}.log",
    conda:
        "../../envs/softbio.yaml"
    threads: 2
    resources:
        runtime=minutes_of_packing,
        mem_mb=memory_of_packing,
    params:
        entry=entry_of,
    message:
        "{wildcards.dataset}: pack at {wildcards.size} px"
    script:
        "../scripts/prepare.py"


rule audit_split:
    input:
        images=rules.prepare.output.images,
        index=rules.prepare.output.index,
        card=rules.prepare.output.card,
        fingerprints=rules.prepare.output.fingerprints,
        code=code(
            "data/audit",
            "data/card",
            "data/expected",
            "data/packing/fingerprints",
            "data/repair",
            "data/splitlists",
            "data/splits",
        )
        + package("data/fetching"),
    output:
        audit=AUDIT,
        split=f"{PACKED_REPAIRED}/split.csv",
        images=f"{PACKED_REPAIRED}/images.npy",
        index=f"{PACKED_REPAIRED}/index.parquet",
        card=f"{PACKED_REPAIRED}/card.json",
    log:
        "logs/{dataset}/audit-{size}.log",
    conda:
        "../../envs/softbio.yaml"
    resources:
        runtime=minutes_of_packing,
        mem_mb=memory_of_packing,
    message:
        "{wildcards.dataset}: audit the split, write the repaired one"
    script:
        "../scripts/audit.py"


# snakemake audit: of every data set of the config
rule audit:
    input:
        AUDITS.values(),
