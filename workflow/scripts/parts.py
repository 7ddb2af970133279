from pathlib import Path

from softbio.data.packed import load_packed
from softbio.job import job
from softbio.privacy.parts import write_parts

with job(snakemake.log[0]):
    packed = load_packed(Path(snakemake.input.images).parent)
    write_parts(packed, Path(snakemake.output.parts))
