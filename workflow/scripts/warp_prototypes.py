from pathlib import Path

from softbio.data.packed import load_packed
from softbio.job import job
from softbio.privacy.prototypes import read_prototypes, write_pairs

with job(snakemake.log[0]):
    packed = load_packed(Path(snakemake.input.images).parent)
    groups = snakemake.wildcards.get("groups", "gender")
    prototypes = read_prototypes(Path(snakemake.input.prototypes), groups)
    write_pairs(prototypes, packed, Path(snakemake.output.pairs))
