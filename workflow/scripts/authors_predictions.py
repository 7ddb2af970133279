from pathlib import Path

from softbio.authors import load_authors
from softbio.job import job
from softbio.ranks import convert
from softbio.records import read_json

with job(snakemake.log[0]):
    convert(
        load_authors(snakemake.input.entry),
        sources=read_json(Path(snakemake.input.sources)),
        folder=Path(snakemake.output.remarks).parent,
    )
