from pathlib import Path

from softbio.evaluators.fetch import fetch_evaluators
from softbio.evaluators.registry import load_evaluators
from softbio.job import job

with job(snakemake.log[0]):
    specs = load_evaluators(snakemake.input.registry)
    fetch_evaluators(specs.values(), Path(snakemake.output.receipt).parent)
