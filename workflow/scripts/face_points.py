from pathlib import Path

from softbio.data.alignment.points import find_points
from softbio.data.registry import spec_from
from softbio.evaluators.finders import detector, made_with
from softbio.evaluators.registry import specs_from
from softbio.job import job

with job(snakemake.log[0], threads=snakemake.threads):
    folder, specs = Path(snakemake.input.receipt).parents[1], specs_from(snakemake.params.entries)
    find_points(
        spec_from(snakemake.params.entry),
        path=snakemake.output.points,
        raw=Path(snakemake.input.sources).parent,
        find=detector(specs, folder),
        known=[*snakemake.input.code, *made_with(specs, folder)],
    )
