"""The tables of docs/datasets.md, from the registry: python -m softbio.catalogue."""

from collections.abc import Iterable

from softbio.data.registry import DatasetSpec, load_registry
from softbio.parameters import ROOT, between, markdown

PAGE = ROOT / "docs/datasets.md"
REGISTRY = ROOT / "config/datasets.yaml"
NOT_KNOWN = "not stated"
SIDE = 128  # px, of the sizes that the table prints


def _facts(spec: DatasetSpec) -> list[str]:
    parts = spec.expected.parts.values()
    return [
        f"`{spec.name}`",
        spec.title,
        f"{spec.ages[0]} to {spec.ages[1]}" if spec.ages else "not labelled",
        " + ".join(f"{number:,}" for number in parts) or NOT_KNOWN,
        f"{sum(parts) * SIDE**2 * 3 / 1e9:.1f}" if parts else NOT_KNOWN,
        spec.access,
        f"[page]({spec.homepage})" if spec.homepage else NOT_KNOWN,
    ]


def _files(spec: DatasetSpec) -> list[str]:
    fetched = ", ".join(f"`{file.name}`" for file in spec.files if file.addresses)
    return [f"`{spec.name}`", fetched or "nothing", spec.obtain]


def _problems(specs: Iterable[DatasetSpec]) -> str:
    return "\n".join(f"- `{spec.name}`: {' '.join(spec.known_problems)}" for spec in specs)


def filled(text: str) -> str:
    """The page with each table put between its markers."""
    specs = [s for s in load_registry(REGISTRY).values() if s.access != "generated"]
    head = ["entry", "what it is", "ages", "images", f"GB at {SIDE} px", "access", "authors"]
    tables = {
        "facts": markdown(head, map(_facts, specs)),
        "files": markdown(
            ["entry", "fetched automatically", "how to get the rest, or all if an address fails"],
            map(_files, specs),
        ),
        "problems": _problems(specs),
        "licences": markdown(["entry", "licence"], [[f"`{s.name}`", s.licence] for s in specs]),
    }
    for name, table in tables.items():
        text = between(text, name, table)
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
