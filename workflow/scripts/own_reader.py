from pathlib import Path

from softbio.job import job
from softbio.privacy.judging.own_attributes import train_reader

with job(snakemake.log[0], threads=snakemake.threads):
    train_reader(
        snakemake.wildcards.reader,
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        folder=Path(snakemake.output.told).parent,
        device=snakemake.params.device,
        dataset=snakemake.wildcards.dataset,
    )
