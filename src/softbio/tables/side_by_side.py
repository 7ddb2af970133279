"""Every system beside every other: what it hides from whom, and what it costs."""

import numpy as np
import pandas as pd

from softbio.hiding.load import NONE
from softbio.hiding.seeds import OVER_BOTH
from softbio.hiding.side_by_side import Line, SideBySide
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.labels import in_text, label
from softbio.results.names import joined
from softbio.statistics.means import Interval
from softbio.tables.layout import ABSENT, Row, Table
from softbio.tables.privacy import flat, percent

ONCE, ONE = "once", "one"


def _plain(interval: Interval | None, digits: int) -> str:
    """A number that is no share, with its limits."""
    if interval is None:
        return ABSENT
    numbers = [f"{v:.{digits}f}" for v in (interval.estimate, interval.low, interval.high)]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


def _seeds(line: Line, several: bool) -> str:
    if len(line.seeds) > 1:
        return str(len(line.seeds))
    return ONCE if several else ONE


def _row(line: Line, shown: SideBySide) -> Row:
    cells = [line.family, line.detail or ABSENT]
    cells += [percent(line.eer.get(name)) for name in shown.classifiers]
    cells += [percent(line.mean_eer), percent(line.folded)]
    cells += [percent(line.tmr.get(name)) for name in shown.matchers]
    cells += [percent(line.worst), _plain(line.psnr, 1), _plain(line.ssim, 3)]
    return Row([*cells, _seeds(line, shown.several)])


def _long(line: Line, shown: SideBySide, dataset: str) -> list[dict]:
    """A row a number: what it is, by whom it was judged (empty for means and qualities)."""
    numbers = [("eer", name, line.eer.get(name)) for name in shown.classifiers]
    numbers += [("eer_mean", "", line.mean_eer), ("eer_turned_mean", "", line.folded)]
    numbers += [("tmr", name, line.tmr.get(name)) for name in shown.matchers]
    numbers += [("tmr_mean", "", line.mean_tmr), ("worst_separation", "", line.worst)]
    numbers += [("psnr", "", line.psnr), ("ssim", "", line.ssim)]
    keys = {"dataset": dataset, "protector": line.protector, "mode": line.mode}
    keys |= {"condition": line.name, "seeds": len(line.seeds)}
    return [
        keys | {"number": number, "by": by} | flat({"value": interval})
        for number, by, interval in numbers
        if interval is not None
    ]


def _seeds_note(shown: SideBySide) -> str:
    if not shown.several:
        return "All conditions were made in one seed."
    if all(len(line.seeds) > 1 for line in shown.lines):
        return ""
    return (
        f'"{ONCE}": made in one seed alone, as all is that no network makes; it counts for all '
        "seeds."
    )


def side_by_side_table(shown: SideBySide | None, dataset: str) -> Table | None:
    """A row a condition, protectors together; None where there are fewer than two of them."""
    if shown is None:
        return None
    columns = [("", "Protector"), ("", "Mode")]
    columns += [("EER of gender", name) for name in (*shown.classifiers, "mean", "mean, turned")]
    columns += [("TMR at FMR 1 %", name) for name in shown.matchers]
    columns += [("", name) for name in ("Worst attack", "PSNR, dB", "SSIM", "Seeds")]
    long = [row for line in shown.lines for row in _long(line, shown, dataset)]
    attacked = [line for line in shown.lines if line.worst]
    worst = (
        "Worst attack: max(AUC, 1 − AUC) by whoever tells most of all attackers and unseen "
        "classifiers, chosen anew in each seed and each draw, and on the test faces themselves, so "
        "that it is an upper limit; a dash where no attacker was set on a condition. "
        if attacked
        else ""
    )
    caption = (
        f"Means over seeds on test images of {in_text(dataset)}, in % but for PSNR and SSIM; only "
        "classifiers and matchers that the training of no protector used. Mean: over the "
        "classifiers; turned: each EER above 50 % counts as the one as far below it, which is what "
        "whoever turns the decisions round has. TMR: of protected probes against originals"
        f"{_unheard(shown)}. {worst}PSNR and SSIM: against the original. {_seeds_note(shown)} "
        f"In brackets: {OVER_BOTH if shown.several else OVER_SUBJECTS}."
    )
    rows = [_row(line, shown) for line in shown.lines]
    title = f"Side by side: {label(dataset)}"
    name = f"side-by-side-{dataset}"
    frame = pd.DataFrame(long)
    return Table(
        name=name,
        title=title,
        caption=" ".join(caption.split()),
        long=frame,
        columns=columns,
        rows=rows,
        heads=2,
    )


def _unheard(shown: SideBySide) -> str:
    weak = [name for name in shown.matchers if name not in shown.heard]
    if not weak:
        return ""
    before = next((line.tmr for line in shown.lines if line.protector == NONE), {})
    known = {name for name in weak if name in before and np.isfinite(before[name].estimate)}
    told = ""
    for names, why in (
        ([name for name in weak if name in known], "below 50 % before protection"),
        ([name for name in weak if name not in known], "not known before protection"),
    ):
        if names:
            told += f"; {joined(names)}, {why}, {'is' if len(names) == 1 else 'are'} in no mean"
    return told
