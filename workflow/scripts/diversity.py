from pathlib import Path

from softbio.job import job
from softbio.privacy.judging.diversity import measure_diversity

with job(snakemake.log[0], threads=snakemake.threads):
    measure_diversity(
        Path(snakemake.input.protected_card).parent,
        [Path(file) for file in snakemake.input.classifiers],
        Path(snakemake.output[0]),
        device=snakemake.params.device,
        dataset=snakemake.params.dataset,
    )
