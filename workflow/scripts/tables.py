from pathlib import Path

from softbio.job import job
from softbio.published import read_published
from softbio.records import load
from softbio.tables import write_tables

with job(snakemake.log[0]):
    records = load([Path(path).parent for path in snakemake.input.metrics])
    published = read_published(snakemake.input.published)
    write_tables(records, published, snakemake.output.tables, snakemake.params.access)
