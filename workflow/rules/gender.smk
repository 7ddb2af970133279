# Reading gender, the talk's first result: metrics of the runs on data sets without ages, and their
# section of the report. Training and prediction are the rules of age.smk.

GENDER_RUN = RUN.replace("{trait}", "gender")
GENDER_RUNS = [f"{RESULTS}/gender/{run.folder}" for run in OF_GENDER]
READING = f"{RESULTS}/reading"
GENDER_CARDS = [
    packed_files(dataset, size_of(dataset))["card"]
    for dataset in dict.fromkeys(run.dataset for run in OF_GENDER)
]

if OF_GENDER and workflow.is_main_process:
    # torch takes seconds to import: only where gender is asked for, and not again in each job
    from softbio.engine.training import check_method

    with in_one_line():
        for each in OF_GENDER:
            check_method(each.method, "gender")


rule gender_metrics:
    input:
        predictions=f"{GENDER_RUN}/predictions.parquet",
        code=code(
            "metrics/groups",
            "metrics/rates",
            "metrics/verification",
            "reading/judge",
            "results/attribute_scores",
            "results/predictions",
            "results/scores",
            "results/subjects",
            "statistics/intervals",
            "statistics/means",
            "statistics/redrawn",
            "statistics/subjects",
        ),
    output:
        metrics=f"{GENDER_RUN}/metrics.json",
    log:
        f"{GENDER_RUN}/metrics.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "gender of {wildcards.dataset}{wildcards.protocol}, {wildcards.backbone}, seed {wildcards.seed}: metrics"
    script:
        "../scripts/gender_metrics.py"


rule reading:
    input:
        metrics=expand("{run}/metrics.json", run=GENDER_RUNS),
        trained=expand(
            "{run}/{file}", run=GENDER_RUNS, file=["run.json", "predictions.parquet"]
        ),
        cards=GENDER_CARDS,
        published=of_project("config/published.csv"),
        style=of_project("report/figures.mplstyle"),
        code=code(
            "metrics/classification",
            "metrics/groups",
            "metrics/rates",
            "metrics/verification",
            "published/images",
            "published/numbers",
        )
        + package(
            "figures", "reading", "report/reading", "results", "statistics", "tables"
        ),
    output:
        tables=report(
            directory(f"{READING}/tables"),
            patterns=["{name}.csv"],
            category="Tables",
            labels={"table": "{name}"},
            caption="../../report/captions/table.rst",
        ),
        figures=report(
            directory(f"{READING}/figures"),
            patterns=["{name}.svg"],
            category="Figures",
            labels={"figure": "{name}"},
            caption="../../report/captions/figure.rst",
        ),
        reading=f"{READING}/reading.json",
    log:
        f"{READING}/reading.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "what reading gender comes to, into {output.tables}"
    script:
        "../scripts/reading.py"
