from pathlib import Path

from softbio.data.fetching.locate import locate
from softbio.data.registry import spec_from
from softbio.job import job
from softbio.privacy.judging.comparisons import Limits, listed_pairs
from softbio.privacy.judging.panel import open_panel, registered
from softbio.privacy.judging.score import score
from softbio.privacy.protectors import get_protector

given, asked = snakemake.input, snakemake.params
files = {name: Path(file) for name, file in given.items() if isinstance(file, str)}
condition, out = files["protected"].parent, Path(snakemake.output.scores)
own, networks = files["own_cnn"].parents[1], Path(given.auxiliaries[0]).parents[1]
original = files["original"].parent if "original" in files else None
sources, spec, lists = files.get("sources"), spec_from(asked.entry), {}

with job(snakemake.log[0], threads=snakemake.threads):
    third = registered(asked.evaluators, files.get("registry"), files.get("receipt"))
    judged = (get_protector(snakemake.wildcards.protector), asked.dataset, networks, own, third)
    panel = open_panel(*judged, asked.matcher_net, asked.device, asked.subjects)
    pairs = sources and locate(spec, sources.parent).lists["pairs"]
    known = (files["index"], files.get("left_out"), spec.options.get("folds"))
    listed = listed_pairs(pairs, *known) if pairs else None
    score(condition, original, panel, out, Limits(asked.comparisons), listed, asked.dataset)
