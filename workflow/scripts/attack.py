from pathlib import Path

from softbio.job import job
from softbio.privacy.attack import attack_condition

SAN = ("san", "index", "prototypes", "pairs")
given = {name: Path(file) for name, file in snakemake.input.items() if name in SAN}
modes = sorted({Path(file).parent for file in snakemake.input.get("modes", [])})

with job(snakemake.log[0], threads=snakemake.threads):
    attack_condition(
        Path(snakemake.input.condition[0]).parent,
        Path(snakemake.input.original[0]).parent,
        Path(snakemake.input.cnn).parents[1],
        Path(snakemake.output[0]),
        modes,
        snakemake.params.device,
        snakemake.params.dataset,
        **given,
    )
