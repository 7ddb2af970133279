from pathlib import Path

from softbio.evaluators.fetch import fetch_evaluators
from softbio.evaluators.registry import spec_from
from softbio.job import job

with job(snakemake.log[0]):
    receipt = Path(snakemake.output.receipt)
    specs = map(spec_from, snakemake.params.entries.values())
    fetch_evaluators(specs, receipt.parents[1], receipt)
