"""docs/architecture.md names every module that stands and nothing else, and the layers are those that are checked.

The page has three kinds of tables, known by their first heading. `| file | purpose |`: a module's path from
nanobragg_py/ in backticks. `| layer | … |`: the folders and modules of each layer, the top one first.
`| what | where |`: a module's path, and functions or classes in it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nanobragg_py"
PAGE = ROOT / "docs" / "architecture.md"
TABLE = re.compile(r"^\|(.+)\|\n\|[-| :]+\|\n((?:\|.+\|\n)+)", re.MULTILINE)


def tables(heading: str) -> list[list[list[str]]]:
    """Rows, cell by cell, of the tables whose first column has this heading."""
    found = []
    for header, body in TABLE.findall(PAGE.read_text()):
        if header.split("|")[0].strip() == heading:
            rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in body.strip().split("\n")]
            found.append(rows)
    return found


def named(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_rooms_are_up_to_date() -> None:
    """The lists of rooms are what the docstrings give."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "rooms.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_every_module_has_its_line() -> None:
    """No module is left out, none is named that is not there, none twice, and each has a purpose."""
    rows = [row for table in tables("file") for row in table]
    names = [name for row in rows for name in named(row[0])]
    modules = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    packages = {f"{path.parent.relative_to(PACKAGE)}/" for path in PACKAGE.rglob("*/__init__.py")}
    assert sorted(names) == sorted(set(names))
    assert set(names) - packages == modules
    assert all(purpose for _, purpose in rows)


def test_every_folder_is_named() -> None:
    """Folders are named in the table of layers, or have a line or a heading of their own."""
    packages = {f"{path.parent.relative_to(PACKAGE)}/" for path in PACKAGE.rglob("*/__init__.py")}
    on_the_page = {name for name in named(PAGE.read_text()) if re.fullmatch(r"(\w+/)+", name)}
    assert on_the_page - {"nanobragg_py/", "tests/", "docs/", "golden/", "bin/"} == packages


def test_layers_are_those_of_the_contract() -> None:
    """The order on the page is the order that `make lint` holds."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["type"] == "layers")
    wanted = [set(re.split(r" [|:] ", layer)) - {"__main__"} for layer in contract["layers"]]
    (table,) = tables("layer")
    shown = [{name.removesuffix("/").removesuffix(".py") for name in named(row[0])} for row in table]
    assert shown == [layer for layer in wanted if layer]


def test_decisions_are_where_the_page_says() -> None:
    """Functions and classes that the page names after a file are defined in it."""
    (table,) = tables("what")
    for row in table:
        for part in row[1].split(";"):
            names = named(part)
            for module in [name for name in names if name.endswith(".py")]:
                assert (PACKAGE / module).is_file(), row
            defined = {
                node.name
                for module in names
                if module.endswith(".py")
                for node in ast.walk(ast.parse((PACKAGE / module).read_text()))
                if isinstance(node, ast.FunctionDef | ast.ClassDef)
            }
            assert {name for name in names if re.fullmatch(r"[A-Za-z_]\w*", name)} <= defined, row


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_fits_one_purpose(path: Path) -> None:
    """A module says what it is for, and is short enough to be read."""
    text = path.read_text()
    assert text.startswith('"""'), "a docstring"
    assert text.count("\n") < 450
