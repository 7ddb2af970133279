from pathlib import Path

from softbio.job import job
from softbio.privacy.attack import AttackInputs, attack_condition
from softbio.privacy.evidence import san_files
from softbio.privacy.judging.panel import registered

given, asked = snakemake.input, snakemake.params
files = {name: Path(file) for name, file in given.items() if isinstance(file, str)}

with job(snakemake.log[0], threads=snakemake.threads):
    inputs = AttackInputs(
        *(Path(given[name][0]).parent for name in ("condition", "original")),
        evaluators=Path(asked.own),
        modes=tuple(sorted({Path(file).parent for file in given.get("modes", [])})),
        san=san_files(files),
        third=registered(asked.evaluators, files.get("registry"), files.get("receipt")),
    )
    attack_condition(inputs, Path(snakemake.output[0]), asked.device, asked.dataset)
