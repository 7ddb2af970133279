from pathlib import Path

from softbio.job import job
from softbio.published.numbers import read_published
from softbio.results.records import load
from softbio.statistics.contests import read_statistics
from softbio.tables import Evidence, write_tables

with job(snakemake.log[0]):
    records = load([Path(path).parent for path in snakemake.input.metrics])
    published = read_published(snakemake.input.published)
    statistics = read_statistics(Path(snakemake.input.statistics))
    more = snakemake.params
    evidence = Evidence(records, published, statistics, more.audits, more.access)
    write_tables(evidence, snakemake.output.tables)
