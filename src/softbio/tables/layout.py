"""A table and its three files: long CSV, Markdown, LaTeX (booktabs)."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.files import atomic
from softbio.results.formats import ABSENT, decimals

_LATEX = {
    "\\": r"\textbackslash{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "–": "--",
    "−": r"$-$",
    "·": r"$\cdot$",
    "†": r"\textsuperscript{\textdagger}",
    "≤": r"$\le$",
    "×": r"$\times$",
}


@dataclass(frozen=True)
class Row:
    """Cells as printed; `best` are the positions set in bold, `summary` marks an average row."""

    cells: list[str]
    best: list[int] = field(default_factory=list)
    summary: bool = False


@dataclass(frozen=True)
class Table:
    """`long` goes to the CSV in full precision; `columns` (group, name) and `rows` are printed. The
    first `heads` columns name the row and are blanked where they repeat; the last
    `words` columns hold text. The others are numbers, aligned right."""

    name: str
    title: str
    caption: str
    long: pd.DataFrame
    columns: list[tuple[str, str]]
    rows: list[Row]
    heads: int = 1
    words: int = 0

    def entry(self) -> dict:
        """Its entry in index.json: all but the long frame."""
        return {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "columns": self.columns,
            "rows": [asdict(row) for row in self.rows],
            "heads": self.heads,
            "words": self.words,
        }

    def write(self, folder: Path) -> None:
        """Write {name}.csv, {name}.md and {name}.tex."""
        with atomic(folder / f"{self.name}.csv") as part:
            self.long.to_csv(part, index=False)
        for suffix, text in ((".md", markdown(self)), (".tex", latex(self))):
            with atomic(folder / f"{self.name}{suffix}") as part:
                part.write_text(text, encoding="utf-8")


def extremes(values: Sequence[float], form: Callable[[float], str]) -> str:
    """Smallest and largest value as `form` prints them, once where they are printed alike."""
    return " … ".join(dict.fromkeys(form(end(values)) for end in (min, max)))


def plus_minus(values: np.ndarray, digits: int = 2) -> str:
    """Mean ± sample SD (n-1) over seeds; the value alone where there is one seed."""
    values = np.asarray(values, float)
    if len(values) == 0 or not np.isfinite(values).all():
        return ABSENT
    if len(values) == 1:
        return decimals(values[0], digits)
    return f"{decimals(values.mean(), digits)} ± {decimals(values.std(ddof=1), digits)}"


def of_seeds(count: int, expected: int) -> str:
    """A remark behind an average over fewer seeds than expected; empty where all are there."""
    return f" ({count} of {expected} seeds)" if 0 < count < expected else ""


def lowest(means: list[float], digits: int = 2) -> list[int]:
    """Positions of the smallest mean, ties at printed precision included; none where fewer than two
    means are known."""
    shown = np.round(np.asarray(means, float), digits)
    if np.isfinite(shown).sum() < 2:
        return []
    return [int(i) for i in np.flatnonzero(shown == np.nanmin(shown))]


def is_text(table: Table) -> list[bool]:
    """Which columns are text, aligned left."""
    count = len(table.columns)
    return [i < table.heads or i >= count - table.words for i in range(count)]


def unrepeated(table: Table) -> list[list[str]]:
    """Row cells, with heads blank where they repeat those of the row above."""
    shown, above = [], [None] * table.heads
    for row in table.rows:
        cells, same = list(row.cells), True
        for column in range(table.heads):
            same = same and cells[column] == above[column]
            if same:
                cells[column] = ""
        above = row.cells[: table.heads]
        shown.append(cells)
    return shown


def markdown(table: Table) -> str:
    """A pipe table with its title and caption."""
    titles = [f"{group} {name}".strip() for group, name in table.columns]
    rule = [":--" if text else "--:" for text in is_text(table)]
    lines = [titles, rule]
    for row, cells in zip(table.rows, unrepeated(table), strict=True):
        lines.append([f"**{c}**" if i in row.best else c for i, c in enumerate(cells)])
    body = "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )
    return f"**{table.title}.** {table.caption}\n\n{body}\n"


def escape(text: str) -> str:
    """Text for LaTeX."""
    return "".join(_LATEX.get(mark, mark) for mark in text)


def _spans(columns: list[tuple[str, str]]) -> list[tuple[str, int, int]]:
    """(group, first, last) column of each run of equal groups, counted from 1."""
    spans: list[tuple[str, int, int]] = []
    for position, (group, _) in enumerate(columns, start=1):
        if spans and spans[-1][0] == group:
            spans[-1] = (group, spans[-1][1], position)
        else:
            spans.append((group, position, position))
    return spans


def latex(table: Table) -> str:
    """A booktabs table environment; needs \\usepackage{booktabs}."""
    head = []
    if any(group for group, _ in table.columns):
        spans = _spans(table.columns)
        head.append(
            " & ".join(f"\\multicolumn{{{b - a + 1}}}{{c}}{{{escape(g)}}}" for g, a, b in spans)
            + r" \\"
        )
        head.append("".join(f"\\cmidrule(lr){{{a}-{b}}}" for g, a, b in spans if g))
    head.append(" & ".join(escape(name) for _, name in table.columns) + r" \\")
    body = []
    for row, cells in zip(table.rows, unrepeated(table), strict=True):
        marked = (
            f"\\textbf{{{escape(c)}}}" if i in row.best else escape(c) for i, c in enumerate(cells)
        )
        body.append(" & ".join(marked) + r" \\")
        if row.summary and row is not table.rows[-1]:
            body.append(r"\addlinespace")
    align = "".join("l" if text else "r" for text in is_text(table))
    return "\n".join(
        [
            r"\begin{table}",
            f"\\caption{{{escape(table.title)}. {escape(table.caption)}}}",
            f"\\label{{tab:{table.name}}}",
            f"\\begin{{tabular}}{{{align}}}",
            r"\toprule",
            *head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def save(tables: list[Table], folder: Path | str) -> list[Table]:
    """Write {name}.csv, .md, .tex of some tables and index.json, which keeps their order, titles,
    captions and printed cells; returns them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        table.write(folder)
    with atomic(folder / "index.json") as part:
        entries = [table.entry() for table in tables]
        part.write_text(json.dumps(entries, indent=1, ensure_ascii=False), encoding="utf-8")
    return tables
