# L0: the authors' own predictions, judged like any run, beside what they printed.
from softbio.published.authors import load_authors
from softbio.files import sha256

L0 = "results/published"
AUTHORS_ENTRY = of_project("config/authors.yaml")
AUTHORS_FOLDER = config.get("published")

with in_one_line():
    AUTHORS = load_authors(AUTHORS_ENTRY)

AUTHORS_RUNS = [f"{L0}/age/{run.folder}" for run in AUTHORS.judged]

# how the archive of each data set can be obtained, for the table of what was not run
ACCESS = {
    name: "at hand" if spec.source else spec.access for name, spec in DATASETS.items()
}
# A report shows L0 as it was made before, and is made anew when that changes, without asking for
# the authors' files; where they are given, it waits for L0.
L0_NUMBERS = Path(L0, "tables/l0.csv")
L0_STATE = (
    sha256(L0_NUMBERS) if L0_NUMBERS.is_file() and not AUTHORS_FOLDER else "as given"
)


rule authors_files:
    input:
        entry=AUTHORS_ENTRY,
        code=code(
            "data/fetching/locate",
            "data/fetching/mirrors",
            "published/authors",
            "results/labels",
            "results/names",
            "results/run",
        ),
    output:
        sources="resources/raw/coral-cnn/sources.json",
    log:
        "logs/coral-cnn/files.log",
    conda:
        "../../envs/softbio.yaml"
    params:
        folder=AUTHORS_FOLDER,
    message:
        "the authors' predictions: find or fetch them"
    script:
        "../scripts/authors_files.py"


rule authors_predictions:
    input:
        sources=rules.authors_files.output.sources,
        entry=AUTHORS_ENTRY,
        code=package("published", "results"),
    output:
        predictions=expand("{run}/predictions.parquet", run=AUTHORS_RUNS),
        remarks=f"{L0}/remarks.csv",
    log:
        f"{L0}/predictions.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "the authors' predictions into {L0}"
    script:
        "../scripts/authors_predictions.py"


rule L0:
    input:
        metrics=expand("{run}/metrics.json", run=AUTHORS_RUNS),
        remarks=rules.authors_predictions.output.remarks,
        entry=AUTHORS_ENTRY,
        published=of_project("config/published.csv"),
        code=code(
            "data/audit",
            "published/authors",
            "published/images",
            "published/numbers",
            "report/ladder",
        )
        + package("results", "statistics", "tables"),
    output:
        tables=directory(f"{L0}/tables"),
    log:
        f"{L0}/tables.log",
    conda:
        "../../envs/softbio.yaml"
    message:
        "L0: what follows from the authors' predictions, into {output.tables}"
    script:
        "../scripts/l0.py"
