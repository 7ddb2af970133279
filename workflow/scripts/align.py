from pathlib import Path

from softbio.data.alignment.align import align
from softbio.data.registry import spec_from
from softbio.evaluators.finders import finders
from softbio.evaluators.registry import load_evaluators
from softbio.job import job

with job(snakemake.log[0], threads=snakemake.threads):
    # drawn faces need neither
    registry, receipt = map(snakemake.input.get, ("registry", "receipt"))
    align(
        spec_from(snakemake.params.entry),
        folder=Path(snakemake.output.images).parent,
        raw=Path(snakemake.input.sources).parent,
        side=int(snakemake.wildcards.side),
        known=[*snakemake.input.code, *filter(None, (registry, receipt))],
        **(finders(load_evaluators(registry), Path(receipt).parent) if receipt else {}),
    )
