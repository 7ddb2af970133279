from pathlib import Path

from softbio.evaluators.fetch import fetch_evaluators
from softbio.evaluators.registry import load_evaluators
from softbio.files import write_json
from softbio.job import job

with job(snakemake.log[0]):
    receipt = Path(snakemake.output.receipt)
    # JSON is YAML
    write_json(snakemake.output.registry, snakemake.params.entries)
    specs = load_evaluators(snakemake.output.registry)
    fetch_evaluators(specs.values(), receipt.parent, receipt)
