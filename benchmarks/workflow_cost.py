"""Cost of the workflow itself: planning about a thousand jobs, and starting a job's process.

    python benchmarks/workflow_cost.py

Prints Markdown and appends one line per measure to a CSV: median, lowest and highest of some calls.
"""

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import yaml

from softbio.engine.provenance import git_state

ROOT = Path(__file__).parents[1]
# three methods: 3 x 111 runs of three jobs each
SEEDS = 111


def seconds(command: list[str], calls: int) -> list[float]:
    """Wall clock of each call."""
    times = []
    for _ in range(calls):
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        times.append(time.perf_counter() - begun)
    return times


def thousand(folder: Path) -> Path:
    """The quick benchmark's config with a grid of a thousand jobs."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    block = config["grid"][0] | {"seeds": list(range(SEEDS))}
    path = folder / "thousand.yaml"
    path.write_text(yaml.safe_dump(config | {"name": "thousand", "grid": [block]}))
    return path


def measures(folder: Path) -> dict[str, list[str]]:
    """Name -> command of what is timed."""
    python = sys.executable
    plan = [python, "-m", "snakemake", "--dry-run", "--configfile", str(thousand(folder))]
    return {
        "interpreter": [python, "-c", "pass"],
        "interpreter and torch": [python, "-c", "import torch"],
        "a training job's imports": [python, "-c", "import softbio.engine.train"],
        "a metrics job's imports": [python, "-c", "import softbio.results.evaluate"],
        "snakemake, nothing to plan": [python, "-m", "snakemake", "--version"],
        "plan of 1,008 jobs": plan,
    }


def main() -> None:
    """Run all measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "results/workflow_cost.csv")
    parser.add_argument("--calls", type=int, default=5)
    options = parser.parse_args()
    out = options.out
    out.parent.mkdir(parents=True, exist_ok=True)
    commit = (git_state()["commit"] or "")[:7]
    print("| measure | seconds | range |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, open(out, "a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not file.tell():
            writer.writerow(["date", "commit", "measure", "seconds", "lowest", "highest"])
        for name, command in measures(Path(folder)).items():
            times = seconds(command, options.calls)
            middle, low, high = statistics.median(times), min(times), max(times)
            row = [f"{value:.2f}" for value in (middle, low, high)]
            writer.writerow([date.today().isoformat(), commit, name, *row])
            print(f"| {name} | {row[0]} | {row[1]}-{row[2]} |", flush=True)


if __name__ == "__main__":
    main()
