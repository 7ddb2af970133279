from pathlib import Path

from softbio.job import job
from softbio.reading.judge import judge_file

with job(snakemake.log[0]):
    judge_file(Path(snakemake.input.predictions), Path(snakemake.output.metrics))
