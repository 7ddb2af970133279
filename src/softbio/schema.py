"""YAML files checked against a JSON schema, with one-line errors."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend

from softbio.errors import UserError, nearest


def read_yaml(path: Path) -> Any:
    """Plain data from a YAML file; raises UserError where it is absent or not YAML."""
    try:
        return yaml.safe_load(Path(path).read_text())
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" in line {where.line + 1}" if where else ""
        raise UserError(f"{path}: not YAML{line}; correct its syntax") from None


@cache
def _validator(schema: Path) -> Draft202012Validator:
    def filling(validator, properties, instance, whole):
        if isinstance(instance, dict):
            for name, rule in properties.items():
                if "default" in rule:
                    instance.setdefault(name, rule["default"])
        yield from Draft202012Validator.VALIDATORS["properties"](
            validator, properties, instance, whole
        )

    return extend(Draft202012Validator, {"properties": filling})(read_yaml(schema))


def validate(data: Any, schema: Path, name: str) -> None:
    """Check `data` against the schema file and fill in the schema's defaults, in place.

    name: what the error calls the data, a file for instance. Raises UserError naming the key at
    fault, what is allowed there and, for an unknown key, the nearest known one.
    """
    error = best_match(_validator(Path(schema)).iter_errors(data))
    if error is not None:
        raise UserError(f"{name}: {_sentence(error)}")


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
    return f"{at}: {error.message}"
