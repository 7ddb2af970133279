"""YAML files checked against a JSON schema, with one-line errors."""

import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from softbio.errors import UserError, nearest

# what JSON schema calls a type, and a person
TYPES = {
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "null": "empty",
}


class _Twice(yaml.MarkedYAMLError):
    """A key that stands twice in one mapping."""


class _OnceLoader(yaml.SafeLoader):
    """The safe loader, which refuses a key that stands twice: YAML itself would silently take the
    last one. A key that overrides one of a merge (`<<`) is no such key."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            if (key.tag, key.value) in seen:
                raise _Twice(problem=key.value, problem_mark=key.start_mark)
            seen.add((key.tag, key.value))
        return node


def read_yaml(path: Path) -> Any:
    """Plain data from a YAML file; raises UserError where it is absent or not YAML, and where a key
    stands twice in one mapping."""
    try:
        return yaml.load(Path(path).read_text(), Loader=_OnceLoader)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; check the path") from None
    except _Twice as error:
        raise UserError(
            f"{path}: key '{error.problem}' stands twice, the second time in line "
            f"{error.problem_mark.line + 1}; keep one of the two"
        ) from None
    # of values that are none, such as the 99th of a month, the loader raises what Python does
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise UserError(f"{path}: not YAML{line}; correct its syntax") from None


@cache
def _validator(schema: Path) -> Draft202012Validator:
    def filling(validator, properties, instance, whole):
        if isinstance(instance, dict):
            for name, rule in properties.items():
                if "default" in rule:
                    # a copy: a mapping shared by two entries would be filled in for both
                    instance.setdefault(name, deepcopy(rule["default"]))
        yield from Draft202012Validator.VALIDATORS["properties"](
            validator, properties, instance, whole
        )

    def whole(_, value) -> bool:
        # JSON takes 1.0 for an integer; a path or a range does not
        return isinstance(value, int) and not isinstance(value, bool)

    def matching(_, pattern, value, __):
        # $ stands before a last line break too
        if isinstance(value, str) and ("\n" in value or not re.search(pattern, value)):
            yield ValidationError(f"{value!r} does not match '{pattern}'")

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", whole)
    rules = {"properties": filling, "pattern": matching}
    checked = extend(Draft202012Validator, rules, type_checker=types)
    return checked(read_yaml(schema))


def validate(data: Any, schema: Path, name: str) -> None:
    """Check `data` against the schema file and fill in the schema's defaults, in place.

    name: what the error calls the data, a file for instance. Raises UserError naming the key at
    fault, what is allowed there and, for an unknown key, the nearest known one.
    """
    for where, key in _keys(data):
        if not isinstance(key, str):
            raise UserError(f"{name}: key '{where}' is no text; write it in quotes")
    error = best_match(_validator(Path(schema)).iter_errors(data))
    if error is not None:
        raise UserError(f"{name}: {_sentence(error)}")


def _keys(data: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """All keys of nested mappings and lists, each with its path."""
    if not isinstance(data, dict | list):
        return
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        path = f"{where}.{key}" if where else str(key)
        if isinstance(data, dict):
            yield path, key
        yield from _keys(value, path)


def _sentence(error: ValidationError) -> str:
    where = ".".join(str(step) for step in error.absolute_path)
    at = f"key '{where}'" if where else "the top level"
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        path = f"{where}.{unknown}" if where else unknown
        remedy = nearest(str(unknown), known) if known else "nothing can be set here"
        return f"key '{path}' is unknown: {remedy}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{at} lacks '{missing}'; add it"
    if error.validator == "enum":
        choices = [str(choice) for choice in error.validator_value]
        return f"{at} is {error.instance!r}: {nearest(str(error.instance), choices)}"
    if error.validator == "pattern" and not where:
        return f"name '{error.instance}' must be lower-case letters, digits and underscores"
    if error.validator == "type":
        return f"{at} {_wrong_type(error.instance, error.validator_value)}"
    return f"{at}: {error.message}"


def _wrong_type(value: Any, wanted: str | list[str]) -> str:
    kinds = [TYPES.get(kind, kind) for kind in ([wanted] if isinstance(wanted, str) else wanted)]
    found = "is empty" if value is None else f"is {value!r:.80}"
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+e[+-]?\d+", value, re.IGNORECASE):
        # YAML wants a point and a sign
        return f"{found}, which YAML takes for text: write {float(value)}"
    if isinstance(value, str) and re.fullmatch(
        r"[+-]?\d+(\.\d*)?|true|false", value, re.IGNORECASE
    ):
        # Snakemake leaves all that stands within a mapping as text where it comes by --config
        return f"{found}, which is text: write it without quotes, and not in --config but in a file"
    return f"{found}; it must be {' or '.join(kinds)}"
