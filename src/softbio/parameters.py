"""The parameter tables of config/README.md, from the schemas: python -m softbio.parameters."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from softbio.schema import read_yaml

ROOT = Path(__file__).parents[2]
README = ROOT / "config/README.md"
NAMES = ("config", "datasets", "evaluators")
SCHEMAS = {name: ROOT / f"workflow/schemas/{name}.schema.yaml" for name in NAMES}


def rows(rule: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[list[str]]:
    """Key, type, default and description of every key below a schema's rule, outer keys first.

    A rule that refers to a rule around it (backbones within training) is not expanded again.
    """
    for name, inner in rule.get("properties", {}).items():
        key = f"{path}.{name}" if path else name
        target = _followed(inner, schema)
        yield [
            f"`{key}`",
            _type(target),
            f"`{inner['default']}`" if "default" in inner else "",
            " ".join((inner.get("description") or target.get("description", "")).split()),
        ]
        nested = _followed(target.get("items", target), schema)
        if nested is not rule:
            yield from rows(nested, schema, f"{key}[]" if "items" in target else key)


def _followed(rule: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = rule.get("$ref", "")
    for step in reference.removeprefix("#/").split("/") if reference else ():
        schema = schema[step]
    return schema if reference else rule


def _type(rule: dict[str, Any]) -> str:
    if "enum" in rule:
        return " \\| ".join(str(choice) for choice in rule["enum"])
    kinds = rule.get("type", "")
    return (
        " or ".join(kinds)
        if isinstance(kinds, list)
        else {"object": "mapping", "array": "list"}.get(kinds, kinds)
    )


def table(name: str) -> str:
    """Markdown table of one schema; for a registry, of one entry."""
    schema = read_yaml(SCHEMAS[name])
    rule = schema if "properties" in schema else schema["additionalProperties"]
    return markdown(["key", "type", "default", "meaning"], rows(_followed(rule, schema), schema))


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def between(text: str, name: str, content: str) -> str:
    """The text with the content between the markers of that name."""
    start, end = f"<!-- {name}: made by make docs -->", f"<!-- {name}: end -->"
    before, rest = text.split(start)
    return f"{before}{start}\n{content}\n{end}{rest.split(end)[1]}"


def filled(text: str) -> str:
    """The text with each table between its markers."""
    for name in SCHEMAS:
        text = between(text, name, table(name))
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text()))
