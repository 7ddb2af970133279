# collect -> tables, figures -> one offline report.
JUDGED = expand("{run}/metrics.json", run=RUNS + CONTROLS)
TRAINED = expand("{run}/{file}", run=RUNS, file=["history.csv", "run.json"])
PREDICTED = expand("{run}/predictions.parquet", run=RUNS + CONTROLS)
CARDS = [
    packed_files(dataset, size_of(dataset))["card"]
    for dataset in BENCHMARK.used_datasets
]
PAGE = [
    of_project(f"report/{name}")
    for name in (
        "template.html.j2",
        "age.html.j2",
        "blocks.html.j2",
        "hiding.html.j2",
        "reading.html.j2",
        "side_by_side.html.j2",
        "style.css",
        "sort.js",
    )
]


rule collect:
    input:
        metrics=JUDGED,
        code=package("results"),
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


rule statistics:
    input:
        metrics=JUDGED,
        predictions=PREDICTED,
        code=package("results", "statistics"),
    output:
        statistics=f"{RESULTS}/statistics.json",
    log:
        f"{RESULTS}/statistics.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "intervals and tests into {output.statistics}"
    script:
        "../scripts/contests.py"


rule tables:
    input:
        statistics=rules.statistics.output.statistics,
        metrics=JUDGED,
        trained=TRAINED,
        audits=AUDITS.values(),
        published=of_project("config/published.csv"),
        code=code(
            "data/audit",
            "methods/__init__",
            "published/images",
            "published/numbers",
        )
        + package("results", "statistics", "tables"),
    output:
        tables=report(
            directory(f"{RESULTS}/tables"),
            patterns=["{name}.csv"],
            category="Tables",
            labels={"table": "{name}"},
            caption="../../report/captions/table.rst",
        ),
    log:
        f"{RESULTS}/tables.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        audits=AUDITS,
        access=ACCESS,
    message:
        "tables into {output.tables}"
    script:
        "../scripts/tables.py"


rule figures:
    input:
        statistics=rules.statistics.output.statistics,
        metrics=JUDGED,
        trained=TRAINED,
        predictions=PREDICTED,
        cards=CARDS,
        style=of_project("report/figures.mplstyle"),
        code=code(
            "engine/importance",
            "methods/__init__",
            "metrics/calibration",
            "metrics/ordinal",
        )
        + package("figures", "results", "statistics"),
    output:
        figures=report(
            directory(f"{RESULTS}/figures"),
            patterns=["{name}.svg"],
            category="Figures",
            labels={"figure": "{name}"},
            caption="../../report/captions/figure.rst",
        ),
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
        statistics=rules.statistics.output.statistics,
        metrics=JUDGED,
        trained=TRAINED,
        cards=CARDS,
        runs=rules.collect.output.runs,
        tables=rules.tables.output.tables,
        figures=rules.figures.output.figures,
        published=of_project("config/published.csv"),
        page=PAGE,
        reading=[f"{READING}/reading.json"] if GENDER_RUNS else [],
        hiding=expand("{half}/claims.json", half=HALVES),
        l0=rules.L0.output.tables if AUTHORS_FOLDER else [],
        code=code(
            "data/audit",
            "privacy/deviations",
            "privacy/recipe",
            "published/authors",
            "published/images",
            "published/numbers",
        )
        + package(
            "hiding",
            "reading",
            "report",
            "report/hiding",
            "report/reading",
            "results",
            "statistics",
            "tables",
        ),
    output:
        report=report(
            f"{RESULTS}/report.html",
            category="Report",
            labels={"page": "report"},
            caption="../../report/captions/report.rst",
        ),
        left_out=f"{RESULTS}/left_out.json",
    log:
        f"{RESULTS}/report.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        title=BENCHMARK.title,
        left_out=[asdict(each) for each in SKIPPED],
        l0=f"{L0}/tables",
        l0_state=L0_STATE,
    message:
        "report: {output.report}"
    script:
        "../scripts/report.py"
