from pathlib import Path

from softbio.data.registry import spec_from
from softbio.job import job
from softbio.privacy.judging.score import ScoreFiles, ScoreSettings, score_condition

asked = snakemake.params
NAMES = ("protected", "original", "index", "registry", "receipt", "sources", "left_out")
files = {name: Path(file) for name, file in snakemake.input.items() if name in NAMES}

with job(snakemake.log[0], threads=snakemake.threads):
    settings = ScoreSettings(
        protector=snakemake.wildcards.protector,
        spec=spec_from(asked.entry),
        evaluators=tuple(asked.evaluators),
        matcher_net=asked.matcher_net,
        subjects=asked.subjects,
        comparisons=asked.comparisons,
    )
    files = ScoreFiles(networks=Path(asked.networks), own=Path(asked.own), **files)
    score_condition(files, settings, Path(snakemake.output.scores), asked.device)
