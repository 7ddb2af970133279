# fetch -> prepare: one packed array for each data set and size.


rule fetch:
    input:
        source=source_of,
        code=code("data/fetch"),
    output:
        sources="resources/raw/{dataset}/sources.json",
    log:
        "logs/{dataset}/fetch.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        entry=entry_of,
    message:
        "{wildcards.dataset}: find or fetch its files"
    script:
        "../scripts/fetch.py"


# For a cluster whose compute nodes have no internet: snakemake --cores 1 fetched
rule fetched:
    input:
        expand(rules.fetch.output.sources, dataset=BENCHMARK.used_datasets),


rule prepare:
    input:
        sources=rules.fetch.output.sources,
        reader=reader_of,
        code=code(
            "data/archives",
            "data/card",
            "data/pictures",
            "data/prepare",
            "data/splitlists",
        ),
    output:
        images=f"{PACKED}/images.npy",
        index=f"{PACKED}/index.parquet",
        card=f"{PACKED}/card.json",
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
