from pathlib import Path

from softbio.data.audit import audit
from softbio.job import job

with job(snakemake.log[0]):
    audit(
        packed=Path(snakemake.input.images).parent,
        repaired=Path(snakemake.output.images).parent,
        out=Path(snakemake.output.audit),
    )
