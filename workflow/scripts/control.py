from pathlib import Path

from softbio.engine.controls import predict_median
from softbio.job import job

with job(snakemake.log[0]):
    predict_median(
        snakemake.wildcards.dataset + snakemake.wildcards.protocol,
        packed=Path(snakemake.input.images).parent,
        out=Path(snakemake.output.predictions),
    )
