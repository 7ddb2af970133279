from pathlib import Path

from softbio.job import job
from softbio.results.evaluate import evaluate_file

with job(snakemake.log[0]):
    evaluate_file(Path(snakemake.input.predictions), Path(snakemake.output.metrics))
