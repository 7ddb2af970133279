from pathlib import Path

from softbio.job import job
from softbio.privacy.training.loss_matcher import open_loss_matcher
from softbio.privacy.training.originals import write_originals

matcher, receipt, registry = map(snakemake.input.get, ("matcher", "receipt", "registry"))

with job(snakemake.log[0], threads=snakemake.threads):
    name = snakemake.params.matcher_net
    foreign = receipt and open_loss_matcher(name, registry, Path(receipt).parent)
    write_originals(
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        size=snakemake.params.size,
        matcher=foreign or Path(matcher),
        matcher_net=name,
        path=Path(snakemake.output.embeddings),
        device=snakemake.params.device,
    )
