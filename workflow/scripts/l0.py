from pathlib import Path

from softbio.job import job
from softbio.published.authors import load_authors
from softbio.report.ladder import write_l0

with job(snakemake.log[0]):
    write_l0(
        load_authors(snakemake.input.entry),
        results=Path(snakemake.output.tables).parent,
        published=snakemake.input.published,
    )
