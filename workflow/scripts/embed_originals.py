from pathlib import Path

from softbio.evaluators.registry import spec_from
from softbio.job import job
from softbio.privacy.training.loss_matcher import open_loss_matcher
from softbio.privacy.training.originals import write_originals

matcher, receipt = map(snakemake.input.get, ("matcher", "receipt"))

with job(snakemake.log[0], threads=snakemake.threads):
    spec = receipt and spec_from(snakemake.params.matcher)
    foreign = receipt and open_loss_matcher(spec, Path(receipt).parents[1])
    write_originals(
        packed=Path(snakemake.input.images).parent,
        parts=Path(snakemake.input.parts),
        size=snakemake.params.size,
        matcher=foreign or Path(matcher),
        matcher_net=snakemake.params.matcher_net,
        path=Path(snakemake.output.embeddings),
        device=snakemake.params.device,
    )
