"""The plan of a batch: all that its images depend on, in one file of its folder, so that nothing is ever mixed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .. import __version__
from ..base.errors import InputError, shown
from ..base.files import read_bytes, whole_file
from ..formats.row_table import RowTable
from ..options.config import Config
from .base import Base
from .columns import Column
from .pixels import Storage

MANIFEST = "manifest.json"
FORMAT = 2
FAILED_ENDING = ".failed.json"
# What two plans may differ in: words for the message, and where it stands in the manifest.
COMPARED = {
    "nanobragg_py": "version of nanobragg_py",
    "table": "table",
    "base": "base",
    "inputs": "input files",
    "noise": "photon noise",
    "storage": "stored numbers (--dtype, --code)",
    "labels": "labels",
    "shard_rows": "rows of a shard",
}


@dataclass(frozen=True)
class Plan:
    """A batch in a folder.

    rows: how many. shard_rows: of each shard. columns: of the table. digest: of its values. shape: slow, fast.
    noise: whether images are counts. weakest, reach: which spots get a label (spots.Limits); None: no labels.
    template_row: the row whose geometry NXmx files state. inputs: digest of every input file. seed: of the noise of
    rows that have none. Whoever has it can make any shard; it can be sent to other processes.
    """

    folder: str
    rows: int
    shard_rows: int
    columns: tuple[Column, ...]
    digest: str
    base: Base
    shape: tuple[int, int]
    noise: bool
    storage: Storage
    limits: tuple[float, float] | None
    template_row: int
    compression: str | None = None
    inputs: dict[str, str] = field(default_factory=dict)

    @cached_property
    def config(self) -> Config:
        """The base's configuration."""
        return self.base.config()

    @cached_property
    def table(self) -> RowTable:
        """All rows."""
        return RowTable(table_path(self.folder, self.digest))

    @property
    def firsts(self) -> range:
        """The first row of every shard."""
        return range(0, self.rows, self.shard_rows)

    def rows_of(self, first: int) -> int:
        """How many rows a shard has."""
        return min(self.shard_rows, self.rows - first)

    def shard_path(self, first: int) -> str:
        """The file of the shard that begins with a row."""
        return os.path.join(self.folder, f"shard_{first:09d}.h5")

    def failures_path(self, first: int) -> str:
        """The file that tells of a shard's rows that failed; it is only there where some did."""
        return os.path.join(self.folder, f"shard_{first:09d}{FAILED_ENDING}")

    def values(self, row: int) -> tuple[Any, ...]:
        """The values of a row. Raises InputError for one that is not there."""
        if not 0 <= row < self.rows:
            raise InputError(f"row {row}: expected 0 to {self.rows - 1}")
        return next(self.table.read(row, row + 1))

    def manifest(self) -> dict[str, Any]:
        """What is written down."""
        base = self.base
        return {
            "format": FORMAT,
            "nanobragg_py": __version__,
            "table": {"rows": self.rows, "columns": dict(self.columns), "sha256": self.digest},
            "base": {"words": base.words} if base.words is not None else {"keywords": base.keywords},
            "inputs": self.inputs,
            "noise": self.noise,
            "storage": dict(self.storage._asdict()),
            "labels": None if self.limits is None else {"weakest": self.limits[0], "reach": self.limits[1]},
            "shard_rows": self.shard_rows,
            "shape": self.shape,
            "template_row": self.template_row,
            "compression": self.compression,
        }


def table_path(folder: str, digest: str) -> str:
    """The file of a batch's rows."""
    return os.path.join(folder, f"table-{digest[:12]}.h5")


def is_batch(folder: str) -> bool:
    """Whether a folder has a batch in it."""
    return os.path.isfile(os.path.join(folder, MANIFEST))


def read_manifest(folder: str) -> dict[str, Any]:
    """What the folder's batch is. Raises InputError."""
    path = os.path.join(folder, MANIFEST)
    if not is_batch(folder):
        raise InputError(f"{folder}: there is no batch here: {MANIFEST} is missing")
    try:
        manifest = json.loads(read_bytes(path, "batch"))
        if manifest["format"] != FORMAT:
            raise InputError(f"{path}: written by nanobragg_py {shown(str(manifest['nanobragg_py']))}, another format")
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is damaged: {shown(str(error))}") from error
    return dict(manifest)


def load_plan(folder: str) -> Plan:
    """The plan of a folder's batch. Raises InputError."""
    found = read_manifest(folder)
    try:
        said, table, labels = found["base"], found["table"], found["labels"]
        words = said.get("words")
        return Plan(
            folder=os.path.abspath(folder),
            rows=table["rows"],
            shard_rows=found["shard_rows"],
            columns=tuple(Column(name, kind) for name, kind in table["columns"].items()),
            digest=table["sha256"],
            base=Base(None if words is None else tuple(words), said.get("keywords", {})),
            shape=(found["shape"][0], found["shape"][1]),
            noise=found["noise"],
            storage=Storage(**found["storage"]),
            limits=None if labels is None else (labels["weakest"], labels["reach"]),
            template_row=found["template_row"],
            compression=found["compression"],
            inputs=found["inputs"],
        )
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{folder}: {MANIFEST} is damaged: {shown(str(error))}") from error


def differences(there: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What a plan differs in from the one that a folder has, in words."""
    new = json.loads(json.dumps(new))
    found = []
    for name, words in COMPARED.items():
        old, said = there.get(name), new.get(name)
        if old == said:
            continue
        if name == "inputs":
            found += _input_differences(old or {}, said or {})
        elif name == "table":
            found.append(_table_difference(old or {}, said or {}))
        else:
            found.append(f"{words}: {_short(old)} there, {_short(said)} now")
    return found


def _table_difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    for name in ("columns", "rows"):
        if old.get(name) != new.get(name):
            a, b = (_short(one[name] if name == "rows" else ", ".join(one[name])) for one in (old, new))
            return f"{name} of the table: {a} there, {b} now"
    return "values in the table"


def _input_differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    paths: Sequence[str] = sorted(old.keys() | new.keys())
    return [f"input file {path}" for path in paths if old.get(path) != new.get(path)]


def _short(value: Any) -> str:
    text = " ".join(value["words"]) if isinstance(value, dict) and value.get("words") else str(value)
    return shown(text, 200)


def publish(plan: Plan, any_shard_rows: bool = False) -> Plan:
    """Write the plan down, or take the one that is there. Raises InputError, which says what differs, for another.

    any_shard_rows: the size of shards was not asked for, so that of the plan that is there is taken.
    """
    if not is_batch(plan.folder):
        path = os.path.join(plan.folder, MANIFEST)
        try:
            _create(path, json.dumps(plan.manifest(), indent=1).encode() + b"\n")
            return plan
        except FileExistsError:
            pass  # Another part of the same batch was faster.
    there = read_manifest(plan.folder)
    different = differences(there, plan.manifest() | ({"shard_rows": there["shard_rows"]} if any_shard_rows else {}))
    if different:
        raise InputError(
            f"{plan.folder}: holds another batch; different: {'; '.join(different)}; expected the same, or a new --out"
        )
    return load_plan(plan.folder)


def _create(path: str, content: bytes) -> None:
    """A new file, complete when it gets its name. Raises FileExistsError where there is one."""
    temporary = f"{path}.{os.urandom(4).hex()}"
    try:
        with whole_file(temporary, MANIFEST) as file:
            file.write(content)
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
