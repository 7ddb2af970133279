from pathlib import Path

from softbio.data.alignment.align import align
from softbio.data.registry import spec_from
from softbio.evaluators.finders import finders, made_with
from softbio.evaluators.registry import specs_from
from softbio.job import job

with job(snakemake.log[0], threads=snakemake.threads):
    # drawn faces have no receipts
    folders = {Path(receipt).parents[1] for receipt in snakemake.input.get("receipts", [])}
    specs = specs_from(snakemake.params.entries)
    align(
        spec_from(snakemake.params.entry),
        folder=Path(snakemake.output.images).parent,
        raw=Path(snakemake.input.sources).parent,
        side=int(snakemake.wildcards.side),
        known=[*snakemake.input.code, *(part for f in folders for part in made_with(specs, f))],
        **{name: each for f in folders for name, each in finders(specs, f).items()},
    )
