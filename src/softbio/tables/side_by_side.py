"""All conditions side by side: what each hides from which classifier, and what it costs."""

import numpy as np
import pandas as pd

from softbio.hiding.load import NONE
from softbio.hiding.seeds import OVER_BOTH
from softbio.hiding.side_by_side import Line, SideBySide
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.formats import ABSENT
from softbio.results.labels import in_text, label
from softbio.results.names import joined
from softbio.tables.formats import flat, percent, with_limits
from softbio.tables.layout import Row, Table

ONCE, ONE = "once", "one"


def _seeds(line: Line, several: bool) -> str:
    if len(line.seeds) > 1:
        return str(len(line.seeds))
    return ONCE if several else ONE


def _row(line: Line, shown: SideBySide) -> Row:
    cells = [line.family, line.detail or ABSENT]
    cells += [percent(line.eer.get(name)) for name in shown.classifiers]
    cells += [percent(line.mean_eer), percent(line.folded)]
    cells += [percent(line.tmr.get(name)) for name in shown.matchers]
    cells += [percent(line.worst), with_limits(line.psnr, 1), with_limits(line.ssim, 3)]
    return Row([*cells, _seeds(line, shown.several)])


def _long(line: Line, shown: SideBySide, dataset: str) -> list[dict]:
    """A row for each number: what it is and the evaluator (empty for means and image quality)."""
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
        return "All conditions were made with one seed."
    if all(len(line.seeds) > 1 for line in shown.lines):
        return ""
    return (
        f'"{ONCE}": made with one seed only, as is everything without a network; it counts for all '
        "seeds."
    )


def side_by_side_table(shown: SideBySide | None, dataset: str) -> Table | None:
    """A row for each condition, grouped by protector; None for fewer than two protectors."""
    if shown is None:
        return None
    columns = [("", "Protector"), ("", "Mode")]
    columns += [("EER of gender", name) for name in (*shown.classifiers, "mean", "mean, inverted")]
    columns += [("TMR at FMR 1 %", name) for name in shown.matchers]
    columns += [("", name) for name in ("Worst attack", "PSNR, dB", "SSIM", "Seeds")]
    long = [row for line in shown.lines for row in _long(line, shown, dataset)]
    attacked = [line for line in shown.lines if line.worst]
    worst = (
        "Worst attack: the highest max(AUC, 1 − AUC) of all attackers and unseen classifiers, "
        "chosen again in each seed and each draw on the test faces themselves, so it is an upper "
        "limit; a dash for conditions that were not attacked. "
        if attacked
        else ""
    )
    caption = (
        f"Means over seeds on test images of {in_text(dataset)}, in % except PSNR and SSIM; only "
        "classifiers and matchers that no protector used in training. Mean: over the classifiers. "
        "Inverted: an EER above 50 % counts as 100 % minus itself, which is what inverting the "
        "decisions gives. TMR: of protected probes against originals"
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
    text = ""
    for names, why in (
        ([name for name in weak if name in known], "below 50 % before protection"),
        ([name for name in weak if name not in known], "not known before protection"),
    ):
        if names:
            text += f"; {joined(names)}, {why}, {'is' if len(names) == 1 else 'are'} in no mean"
    return text
