from pathlib import Path

from softbio.authors import convert, load_authors
from softbio.job import job
from softbio.records import read_json

with job(snakemake.log[0]):
    convert(
        load_authors(snakemake.input.entry),
        sources=read_json(Path(snakemake.input.sources)),
        folder=Path(snakemake.output.remarks).parent,
    )
