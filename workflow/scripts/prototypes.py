from pathlib import Path

from softbio.data.packed import load_packed
from softbio.job import job
from softbio.privacy.prototypes import make_prototypes

with job(snakemake.log[0]):
    packed = load_packed(Path(snakemake.input.images).parent)
    make_prototypes(
        packed,
        Path(snakemake.input.parts),
        Path(snakemake.output.prototypes),
        snakemake.wildcards.get("groups", "gender"),
    )
