from pathlib import Path

from softbio.authors import load_authors, obtain
from softbio.job import job

with job(snakemake.log[0]):
    obtain(
        load_authors(snakemake.input.entry),
        folder=snakemake.params.folder,
        raw=Path(snakemake.output.sources).parent,
    )
