from pathlib import Path

from softbio.job import job
from softbio.plan.benchmark import Absence
from softbio.published.numbers import read_published
from softbio.report.write import write_report
from softbio.results.records import load, load_cards
from softbio.statistics.contests import read_statistics

with job(snakemake.log[0]):
    write_report(
        snakemake.params.title, snakemake.input.tables, snakemake.input.figures,
        cards=load_cards(snakemake.input.cards),
        records=load([Path(path).parent for path in snakemake.input.metrics]),
        statistics=read_statistics(Path(snakemake.input.statistics)),
        published=read_published(snakemake.input.published),
        template=Path(snakemake.input.page[0]).parent,
        out=snakemake.output.report,
        l0=snakemake.params.l0,
        reading=[Path(path).parent for path in snakemake.input.reading],
        hiding=[Path(path).parent for path in snakemake.input.hiding],
        left_out=[Absence(**each) for each in snakemake.params.left_out],
    )  # fmt: skip
