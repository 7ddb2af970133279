from pathlib import Path

from softbio.engine.predict import predict
from softbio.job import job

with job(snakemake.log[0], threads=snakemake.threads):
    predict(
        Path(snakemake.input.model),
        packed=Path(snakemake.input.images).parent,
        out=Path(snakemake.output.predictions),
        device=snakemake.params.device,
    )
