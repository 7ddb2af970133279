from pathlib import Path

from softbio.job import job
from softbio.privacy.training.loss_matcher import chosen_matcher
from softbio.privacy.training.originals import write_originals

files = map(snakemake.input.get, ("matcher", "registry", "receipt"))

with job(snakemake.log[0], threads=snakemake.threads):
    write_originals(
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        size=snakemake.params.size,
        matcher=chosen_matcher(snakemake.params.matcher_net, *files),
        matcher_net=snakemake.params.matcher_net,
        path=Path(snakemake.output.embeddings),
        device=snakemake.params.device,
    )
