from pathlib import Path

from softbio.job import job
from softbio.published.authors import load_authors, obtain

with job(snakemake.log[0]):
    obtain(
        load_authors(snakemake.input.entry),
        folder=snakemake.params.folder,
        raw=Path(snakemake.output.sources).parent,
    )
