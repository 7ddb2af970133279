"""Tables of reading gender: published and ours, by group, by subject, the runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from softbio.data.registry import Card
from softbio.published.numbers import brief
from softbio.reading.judge import VIEWS
from softbio.reading.load import Reading
from softbio.reading.notebook import BACKBONE, RULE, Printed, deviations
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.formats import ABSENT, commit, decimals, in_percent, signed
from softbio.results.labels import label
from softbio.results.records import SELECTIONS
from softbio.statistics.means import Interval
from softbio.tables.formats import between, scaled
from softbio.tables.layout import Row, Table

WILSON = "Wilson's interval takes each image for an independent case"
GROUPS = {"gender": "Gender", "age_group": "Age group", "race": "Race"}


def name_of(reading: Reading) -> str:
    """Backbone, method and seed of a run as printed."""
    run = reading.run
    return f"{label(run.backbone)}, {reading.names.title(run.method, run.variant)}, seed {run.seed}"


def in_brackets(interval: Interval, digits: int = 2) -> str:
    """The limits of a share of 1 in %, "(96.61 to 97.73)"; a dash where there are none."""
    return between(scaled(interval, 100), digits)


def word(reading: Reading, selection: str, theirs: Printed) -> str:
    """The verdict by `notebook.RULE`, and what differs in another recipe."""
    apart = deviations(reading.record, reading.names)
    if apart or theirs.backbone != reading.run.backbone:
        return f"other recipe: {brief(apart)}" if apart else "other recipe: backbone"
    if selection != "last":
        return "other recipe: best epoch"
    ours = reading.interval(selection, "accuracy")
    covered = 100 * ours.low <= theirs.value <= 100 * ours.high
    return "reproduced" if covered else "differs"


def long_form(readings: Sequence[Reading]) -> pd.DataFrame:
    """Every number of every run, a row each: the run's key and the columns of `judge.Number`."""
    frames = [
        pd.concat([pd.DataFrame([asdict(each.run)] * len(each.numbers)), each.numbers], axis=1)
        for each in readings
    ]
    return pd.concat(frames, ignore_index=True)


def accuracy(readings: Sequence[Reading], published: Mapping[str, Printed]) -> Table:
    """Accuracy beside the published one, last epoch and best validation epoch."""
    rows = []
    for each in readings:
        theirs = published.get(each.run.backbone) or published.get(BACKBONE)
        for selection in each.selections:
            ours = each.interval(selection, "accuracy")
            cells = [
                *(label(each.run.dataset), name_of(each), SELECTIONS[selection]),
                in_percent(ours.estimate),
                in_brackets(each.around(selection, "accuracy")),
                in_brackets(ours),
                *(
                    in_percent(each.interval(selection, name).estimate)
                    for name in ("balanced_accuracy", "auc", "eer")
                ),
                *_compared(each, selection, ours, theirs),
            ]
            rows.append(Row(cells))
    caption = (
        "Gender of test images, in %; male where P(male) is above one half. "
        f"{WILSON}; {OVER_SUBJECTS}. Published: with the same backbone if that is printed, else "
        f"with {label(BACKBONE)}, at the last epoch on all of CelebA's test part. Difference in "
        "percentage points; its interval is that of ours, because none is published. "
        f"{RULE[0].upper()}{RULE[1:]}."
    )
    columns = [
        *(("", name) for name in ("Data set", "Network", "Selection")),
        *(("Accuracy ↑", name) for name in ("%", "Wilson", "over subjects")),
        *(("", name) for name in ("Balanced ↑", "AUC ↑", "EER ↓")),
        *(("Published", name) for name in ("%", "difference")),
        ("", "Verdict"),
    ]
    frame = long_form(readings)
    title = "Reading gender: published and ours"
    return Table(
        name="reading",
        title=title,
        caption=caption,
        long=frame,
        columns=columns,
        rows=rows,
        heads=2,
        words=1,
    )


def _compared(
    each: Reading, selection: str, ours: Interval, theirs: Printed | None
) -> tuple[str, str, str]:
    """Published value, difference with interval, verdict."""
    if theirs is None:
        return ABSENT, ABSENT, ABSENT
    apart = Interval(*(100 * x - theirs.value for x in (ours.estimate, ours.low, ours.high)))
    difference = f"{signed(apart.estimate)} {between(apart)}"
    return theirs.as_printed.rstrip("%"), difference, word(each, selection, theirs)


def groups(readings: Sequence[Reading]) -> Table | None:
    """Accuracy by gender, age group and race of the test images, last epoch."""
    frame = long_form(readings)
    frame = frame[frame["by"].isin(VIEWS) & (frame["selection"] == "last")]
    if frame.empty:
        return None
    rows = []
    for each in readings:
        part = each.numbers[each.numbers["by"].isin(VIEWS) & (each.numbers["selection"] == "last")]
        for row in part.to_dict("records"):
            over = Interval(row["value"], row["low"], row["high"])
            around = Interval(row["value"], row["wilson_low"], row["wilson_high"])
            rows.append(
                Row(
                    [
                        label(each.run.dataset),
                        name_of(each),
                        GROUPS[row["by"]],
                        row["group"],
                        f"{row['n']:,}",
                        in_percent(row["value"]),
                        in_brackets(around),
                        in_brackets(over),
                    ]
                )
            )
    caption = (
        "Accuracy on parts of the test images, in %, last epoch; groups as the data set labels "
        f"them. {WILSON}; {OVER_SUBJECTS}; no such interval where all images or none are wrong."
    )
    columns = ["Data set", "Network", "By", "Group", "Images", "Accuracy ↑", "Wilson", "Subjects"]
    title = "Reading gender: by group"
    named = [("", name) for name in columns]
    return Table(
        name="reading-groups",
        title=title,
        caption=caption,
        long=frame,
        columns=named,
        rows=rows,
        heads=3,
    )


def subjects(readings: Sequence[Reading]) -> Table | None:
    """Numbers in which every subject counts the same, last epoch and best."""
    rows = []
    for each in readings:
        if not each.has("subject"):
            continue
        for selection in each.selections:
            image, person = (each.interval(selection, "accuracy", by) for by in ("all", "subject"))
            errors = each.around(selection, "with_error", "subject")
            many = each.numbers[each.numbers["by"] == "subject"]["n"].iloc[0]
            cells = [label(each.run.dataset), name_of(each), SELECTIONS[selection], f"{many:,}"]
            cells += [in_percent(image.estimate)]
            cells += [in_percent(person.estimate), in_brackets(person)]
            cells += [in_percent(errors.estimate), in_brackets(errors)]
            rows.append(Row(cells))
    if not rows:
        return None
    caption = (
        "Test subjects, in %. By image: every image counts the same. By subject: every subject "
        "counts the same, whatever the number of images; BCa bootstrap interval. With an error: "
        "subjects with at least one wrongly classified image; Wilson's interval."
    )
    columns = [
        *(("", name) for name in ("Data set", "Network", "Selection", "Subjects")),
        *(("Accuracy ↑", name) for name in ("by image", "by subject", "interval")),
        *(("With an error ↓", name) for name in ("%", "interval")),
    ]
    frame = long_form(readings)
    frame = frame[frame["by"] == "subject"]
    title = "Reading gender: by subject"
    return Table(
        name="reading-subjects",
        title=title,
        caption=caption,
        long=frame,
        columns=columns,
        rows=rows,
        heads=2,
    )


def commonest(readings: Sequence[Reading], cards: Mapping[str, Card]) -> Table | None:
    """The accuracy of always answering with the gender that is commoner in training."""
    rows, long = [], []
    for dataset in dict.fromkeys(each.run.dataset for each in readings):
        if dataset not in cards:
            continue
        parts = {part: pd.Series(of) for part, of in cards[dataset].gender.items()}
        answer = parts["train"].idxmax()
        share = parts["test"].get(answer, 0) / parts["test"].sum()
        counts = [f"{parts[part].sum():,}" if part in parts else ABSENT for part in PARTS]
        rows.append(Row([label(dataset), *counts, str(answer), in_percent(share)]))
        long.append({"dataset": dataset, "answer": answer, "accuracy": share})
    if not rows:
        return None
    caption = (
        "Images of each part, and the accuracy on the test images, in %, of always answering with "
        "the gender that is commoner in training."
    )
    columns = ["Data set", "Training", "Validation", "Test", "Answer", "Accuracy"]
    title = "Reading gender: the parts, and a constant answer"
    frame, named = pd.DataFrame(long), [("", name) for name in columns]
    return Table(
        name="reading-constant", title=title, caption=caption, long=frame, columns=named, rows=rows
    )


PARTS = ("train", "valid", "test")


def runs(readings: Sequence[Reading]) -> Table:
    """Where, how and when each run was made."""
    rows = []
    for each in readings:
        record = each.record
        best = record["best_epoch"]
        cells = [
            *(label(each.run.dataset), name_of(each), f"{record['recipe']['crop']}"),
            *(str(record["epochs"]), ABSENT if best is None else str(best)),
            decimals(record["parameters"] / 1e6, 2),
            *(record["device"], record["precision"], f"{record['training_seconds'] / 60:.1f} min"),
            commit(record["git"]),
        ]
        rows.append(Row(cells))
    caption = (
        "One row for each trained run. Best epoch: lowest error on the validation images. Time: of "
        "all epochs, with validation. Commit: of this repository."
    )
    columns = [
        *("Data set", "Network", "Input, px", "Epochs", "Best epoch", "Parameters, M", "Device"),
        *("Precision", "Time", "Commit"),
    ]
    frame = pd.json_normalize([each.record for each in readings])
    title = "Reading gender: runs"
    return Table(
        name="reading-runs",
        title=title,
        caption=caption,
        long=frame,
        columns=[("", c) for c in columns],
        rows=rows,
        heads=2,
    )


def reading_tables(
    readings: Sequence[Reading], published: Mapping[str, Printed], cards: Mapping[str, Card]
) -> Iterator[Table | None]:
    """In the report's order; None where there is nothing to show."""
    yield accuracy(readings, published)
    yield groups(readings)
    yield subjects(readings)
    yield commonest(readings, cards)
    yield runs(readings)
