"""Which softbio files a file imports, read from its source."""

import ast
from pathlib import Path

from softbio.sources import FOLDER


def imports_of(path: Path) -> set[str]:
    """The softbio files that a file imports, wherever in it, as "folder/name"; a package as its
    __init__."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("softbio"):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            found |= {file for name in names if (file := _file(name))}
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            base = "softbio." + ".".join(path.relative_to(FOLDER).parent.parts)
            found |= {file for file in [_file(f"{base}.{node.module}")] if file}
    return found


def _file(name: str) -> str | None:
    path = "/".join(name.split(".")[1:])
    if (FOLDER / f"{path}.py").is_file():
        return path
    if path and (FOLDER / path / "__init__.py").is_file():
        return f"{path}/__init__"
    return None


def reached_from(path: Path, aside: set[str]) -> set[str]:
    """The same, and what those import in turn, but not through files that stand aside."""
    reached, todo = set(), [path]
    while todo:
        new = imports_of(todo.pop()) - aside - reached
        reached |= new
        todo += [FOLDER / f"{name}.py" for name in new]
    return reached
