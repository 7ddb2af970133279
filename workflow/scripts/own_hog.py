from pathlib import Path

from softbio.job import job
from softbio.privacy.judging.own_evaluators import fit_own_hog

with job(snakemake.log[0], threads=snakemake.threads):
    fit_own_hog(
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        folder=Path(snakemake.output.weights).parent,
    )
