"""Cost of an interval in verification: each resample by the library's pass over sorted cases,
compared with the same numbers from the rates at all thresholds.

    python -m benchmarks.intervals

Synthetic scores of all pairs of a set of images; both ways take turns, on the same draws. Prints a
CSV of CPU milliseconds per resample (medians of the rounds) and the ratio.
"""

import argparse
import csv
import statistics
import sys
import time

import numpy as np
import pandas as pd

from softbio.data.pairs import all_pairs
from softbio.statistics.redrawn import redraw, sort_cases
from softbio.statistics.subjects import Cases, Statistic, cases_of, resample
from tests.weighted import area, equal_error_rate, error_rates, true_positive_at

FMR = 0.01


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=200)
    parser.add_argument("--images", type=int, default=18, help="of each subject")
    parser.add_argument("--resamples", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


def pairs(options: argparse.Namespace) -> pd.DataFrame:
    """All pairs of the images, non-mated ones up to the limit of `all_pairs`, with scores."""
    names = np.repeat([f"s{n:04d}" for n in range(options.subjects)], options.images)
    frame = all_pairs(np.array([f"{n}" for n in range(len(names))], object), names.astype(object))
    noise = np.random.default_rng(0).normal(size=len(frame))
    return frame.assign(score=noise + 2 * frame["mated"])


def ways(frame: pd.DataFrame) -> tuple[dict[str, Statistic], Cases]:
    """Name -> weights float32 (B, N) of the cases -> AUC, EER and TMR, float (B, 3); the cases."""
    scores, mated = frame["score"].to_numpy(), frame["mated"].to_numpy(bool)
    ordered = sort_cases(scores, mated)

    def by_rates(weights: np.ndarray) -> np.ndarray:
        rates = error_rates(scores[ordered.order], mated[ordered.order], weights)
        found = area(rates), equal_error_rate(rates), true_positive_at(rates, FMR)
        return np.stack(found, axis=-1)

    def by_pass(weights: np.ndarray) -> np.ndarray:
        drawn = redraw(ordered, weights.T)
        found = drawn.area(), drawn.equal_error_rate(), drawn.true_positive_at(FMR)
        return np.stack(found, axis=-1)

    sides = (frame[f"{side}_subject"].to_numpy()[ordered.order] for side in ("reference", "probe"))
    return {"by rates": by_rates, "by pass": by_pass}, cases_of(*sides)


def main() -> None:
    """Both ways in turns; raises SystemExit where their numbers differ."""
    options = parse()
    frame = pairs(options)
    both, cases = ways(frame)
    times, found = {name: [] for name in both}, {}
    for _ in range(options.rounds):
        for name, statistic in both.items():
            begun = time.process_time()
            found[name] = resample(statistic, cases, options.resamples)
            times[name].append(1000 * (time.process_time() - begun) / options.resamples)
    if not np.allclose(*found.values(), atol=1e-5):
        raise SystemExit("the two ways give different numbers")
    usual, fast = (statistics.median(each) for each in times.values())
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["comparisons", *both, "ratio"])
    out.writerow([len(frame), f"{usual:.3f}", f"{fast:.3f}", f"{fast / usual:.3f}"])


if __name__ == "__main__":
    main()
