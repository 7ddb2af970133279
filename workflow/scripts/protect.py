from pathlib import Path

from softbio.job import job
from softbio.privacy.protect import NetworkFiles, load_resources, protect_parts

NAMES = ("classifier", "san", "prototypes", "pairs", "generator")
files = {name: Path(file) for name, file in snakemake.input.items() if name in NAMES}
members = tuple(map(Path, snakemake.input.get("members", [])))
here = snakemake.wildcards

with job(snakemake.log[0], threads=snakemake.threads):
    resources = load_resources(
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        seed=int(here.seed),
        device=snakemake.params.device,
        files=NetworkFiles(members=members, **files),
    )
    protect_parts(here.protector, here.mode, resources, Path(snakemake.output.images).parent)
