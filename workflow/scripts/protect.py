from pathlib import Path

from softbio.job import job
from softbio.privacy.protect import load_means, protect_parts

NAMES = ("parts", "classifier", "san", "prototypes", "pairs", "generator")
given = {name: Path(file) for name, file in snakemake.input.items() if name in NAMES}
given["members"] = [Path(file) for file in snakemake.input.get("members", [])]
here = snakemake.wildcards

with job(snakemake.log[0], threads=snakemake.threads):
    packed = Path(snakemake.input.images).parent
    means = load_means(packed, seed=int(here.seed), device=snakemake.params.device, **given)
    protect_parts(here.protector, here.mode, means, Path(snakemake.output.images).parent)
