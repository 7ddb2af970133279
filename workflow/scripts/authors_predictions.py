from pathlib import Path

from softbio.job import job
from softbio.published.authors import load_authors
from softbio.published.ranks import convert
from softbio.results.records import read_json

with job(snakemake.log[0]):
    convert(
        load_authors(snakemake.input.entry),
        sources=read_json(Path(snakemake.input.sources)),
        folder=Path(snakemake.output.remarks).parent,
    )
