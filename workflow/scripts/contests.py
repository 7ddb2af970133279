from pathlib import Path

from softbio.contests import write_statistics
from softbio.job import job
from softbio.records import load

with job(snakemake.log[0]):
    records = load([Path(path).parent for path in snakemake.input.metrics])
    write_statistics(records, Path(snakemake.output.statistics))
