from pathlib import Path

from softbio.job import job
from softbio.privacy.attack import attack_condition
from softbio.privacy.judging.panel import registered

SAN = ("san", "index", "prototypes", "pairs")
given, asked = snakemake.input, snakemake.params
files = {name: Path(file) for name, file in given.items() if isinstance(file, str)}
modes = sorted({Path(file).parent for file in given.get("modes", [])})

with job(snakemake.log[0], threads=snakemake.threads):
    third = registered(asked.evaluators, files.get("registry"), files.get("receipt"))
    condition, original = (Path(given[name][0]).parent for name in ("condition", "original"))
    judged = condition, original, files["cnn"].parents[1], Path(snakemake.output[0]), modes
    san = {name: files[name] for name in SAN if name in files}
    attack_condition(*judged, asked.device, asked.dataset, third, **san)
