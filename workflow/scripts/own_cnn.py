from pathlib import Path

from softbio.job import job
from softbio.privacy.judging.own_evaluators import train_own_cnn

with job(snakemake.log[0], threads=snakemake.threads):
    train_own_cnn(
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        folder=Path(snakemake.output.model).parent,
        device=snakemake.params.device,
        dataset=snakemake.wildcards.dataset,
    )
