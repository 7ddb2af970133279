# collect -> tables, figures -> one offline report.
JUDGED = expand("{run}/metrics.json", run=RUNS + CONTROLS)
TRAINED = expand("{run}/{file}", run=RUNS, file=["history.csv", "run.json"])
PREDICTED = expand("{run}/predictions.parquet", run=RUNS + CONTROLS)
CARDS = [
    packed_files(dataset, size_of(dataset))["card"]
    for dataset in BENCHMARK.used_datasets
]
PAGE = [
    f"{workflow.basedir}/report/{name}"
    for name in ("template.html.j2", "style.css", "sort.js")
]


rule collect:
    input:
        metrics=JUDGED,
        code=code("records"),
    output:
        runs=f"{RESULTS}/runs.csv",
    log:
        f"{RESULTS}/collect.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "all metrics into {output.runs}"
    script:
        "../scripts/collect.py"


rule tables:
    input:
        metrics=JUDGED,
        trained=TRAINED,
        published=f"{workflow.basedir}/config/published.csv",
        code=code("records", "published") + package("tables"),
    output:
        tables=directory(f"{RESULTS}/tables"),
    log:
        f"{RESULTS}/tables.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        access=ACCESS,
    message:
        "tables into {output.tables}"
    script:
        "../scripts/tables.py"


rule figures:
    input:
        metrics=JUDGED,
        trained=TRAINED,
        predictions=PREDICTED,
        cards=CARDS,
        style=f"{workflow.basedir}/report/figures.mplstyle",
        code=code("importance", "predictions", "records", "metrics/ordinal")
        + package("figures"),
    output:
        figures=directory(f"{RESULTS}/figures"),
    log:
        f"{RESULTS}/figures.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "figures into {output.figures}"
    script:
        "../scripts/figures.py"


rule report:
    input:
        metrics=JUDGED,
        trained=TRAINED,
        cards=CARDS,
        runs=rules.collect.output.runs,
        tables=rules.tables.output.tables,
        figures=rules.figures.output.figures,
        published=f"{workflow.basedir}/config/published.csv",
        page=PAGE,
        l0=rules.L0.output.tables if AUTHORS_FOLDER else [],
        code=code("authors", "ladder", "published", "records", "report", "verdict")
        + package("tables"),
    output:
        report=f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/report.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        title=BENCHMARK.title,
        l0=f"{L0}/tables",
        l0_state=L0_STATE,
    message:
        "report: {output.report}"
    script:
        "../scripts/report.py"
