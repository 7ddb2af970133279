from pathlib import Path

from softbio.data.alignment.points import find_points
from softbio.data.registry import spec_from
from softbio.evaluators.finders import detector
from softbio.evaluators.registry import load_evaluators
from softbio.job import job

with job(snakemake.log[0], threads=snakemake.threads):
    find_points(
        spec_from(snakemake.params.entry),
        path=snakemake.output.points,
        raw=Path(snakemake.input.sources).parent,
        find=detector(
            load_evaluators(snakemake.input.registry), Path(snakemake.input.receipt).parent
        ),
        known=[*snakemake.input.code, snakemake.input.registry, snakemake.input.receipt],
    )
