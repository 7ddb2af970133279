from pathlib import Path

from softbio.job import job
from softbio.plan.benchmark import Absence
from softbio.published.numbers import read_published
from softbio.report.write import ReportInputs, write_report
from softbio.results.records import load, load_cards
from softbio.statistics.contests import read_statistics

with job(snakemake.log[0]):
    inputs = ReportInputs(
        tables=snakemake.input.tables,
        figures=snakemake.input.figures,
        cards=load_cards(snakemake.input.cards),
        records=load([Path(path).parent for path in snakemake.input.metrics]),
        statistics=read_statistics(Path(snakemake.input.statistics)),
        published=read_published(snakemake.input.published),
        l0=snakemake.params.l0,
        hiding=[Path(path).parent for path in snakemake.input.hiding],
        reading=[Path(path).parent for path in snakemake.input.reading],
        left_out=[Absence(**each) for each in snakemake.params.left_out],
    )
    write_report(snakemake.params.title, inputs, snakemake.output.report)
