"""From a table, a base and options to a plan: what can be wrong is found before anything is rendered."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import InputError, note, warn
from ..commandline.known_defects import tell_of_defects
from ..formats.nexus import compression_of
from ..formats.row_table import RowTable, write_rows
from ..options.config import Config, scan
from ..options.keywords import keywords
from ..options.table import RESPONSE_FIELDS
from ..rendering.renderer import default_threads
from .base import Base, absolute, digest_of_file, has_coordinates, input_files, is_input_name
from .columns import NOISE_SEED, ORIENTATION, PARTS, QUATERNION, SEED, TEXT, Column
from .pixels import storage_of
from .plan import Plan, is_batch, publish, read_manifest, table_path
from .rows import LABELS_KEPT, RowRenderer
from .table_file import Block, open_table

# A shard has pixels of so many bytes, or takes one worker so many seconds, whichever is less.
SHARD_BYTES, SHARD_SECONDS = 256 * 2**20, 30.0
# Rows at the table's beginning of which one must be good.
FIRST_ROWS = 10
# Input files that rows may name, in all.
MOST_INPUTS = 10_000


class Wishes(NamedTuple):
    """What the user asks for; None where nothing was said."""

    shard_rows: int | None = None
    noise: bool | None = None
    dtype: str | None = None
    code: str | None = None
    labels: bool = True
    weakest: float = 1.0
    reach: float = 1.0
    compression: str | None = None
    threads: int | None = None


def make_plan(table: str, folder: str, base: Base, wishes: Wishes) -> Plan:
    """The plan, written down in the folder, or the same one that is there. Raises InputError."""
    os.makedirs(folder, exist_ok=True)
    folder = os.path.abspath(folder)
    columns, rows, digest = _take_table(table, folder)
    config = base.config()
    names = [column.name for column in columns]
    says_seed = NOISE_SEED in names or SEED in names
    says_noise = says_seed or base.says_noise or not RESPONSE_FIELDS.isdisjoint(names)
    noise = wishes.noise if wishes.noise is not None else says_noise
    if noise and not says_seed:
        note(f"no column {NOISE_SEED}: each row's noise has a seed of its own, from -seed and the row's number")
    if config.misset_random and config.misset_seed is None and "misset_seed" not in names:
        raise InputError("-misset random takes the clock's seed: expected -misset_seed, or orientations in the table")
    plan = Plan(
        folder=folder,
        rows=rows,
        shard_rows=wishes.shard_rows or 1,
        columns=columns,
        digest=digest,
        base=base,
        shape=(0, 0),
        noise=noise,
        storage=storage_of(wishes.dtype, wishes.code, noise),
        limits=(wishes.weakest, wishes.reach) if wishes.labels else None,
        template_row=0,
        compression=compression_of(wishes.compression),
        inputs=_inputs(RowTable(table_path(folder, digest)), input_files(config)),
    )
    _check_coordinates(plan)
    if is_batch(folder):
        there = read_manifest(folder)
        plan = replace(plan, shape=tuple(there["shape"]), template_row=there["template_row"])
    else:
        plan = _measured(plan, wishes, table)
    return publish(plan, any_shard_rows=wishes.shard_rows is None)


def _take_table(path: str, folder: str) -> tuple[tuple[Column, ...], int, str]:
    """Columns, number of rows and digest of a table, which is in the folder then, for any row to be found at once."""
    found = open_table(path)
    temporary = os.path.join(folder, f".table.{os.urandom(4).hex()}")
    try:
        rows, digest = write_rows(temporary, found.columns, (b.values for b in _absolute(found.columns, found.blocks)))
        if not rows:
            raise InputError(f"{path}: the table has no rows")
        os.replace(temporary, table_path(folder, digest))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return found.columns, rows, digest


def _absolute(columns: tuple[Column, ...], blocks: Iterator[Block]) -> Iterator[Block]:
    """The rows with absolute names of input files."""
    named = [column.kind == TEXT and column.name != NOISE_SEED and _names_input(column.name) for column in columns]
    for block in blocks:
        yield Block(
            [
                [absolute(value) if value else value for value in values] if is_name else values
                for values, is_name in zip(block.values, named, strict=True)
            ]
        )


def _names_input(name: str) -> bool:
    try:
        return is_input_name(name)
    except KeyError:
        return False


def _inputs(table: RowTable, of_base: list[str]) -> dict[str, str]:
    """Digests of all input files, those of the base and those that rows name."""
    paths = set(of_base)
    for at, (name, kind) in enumerate(table.columns):
        if kind == TEXT and _names_input(name):
            paths |= {str(value).partition("::")[0] for value in np.unique(table.column(at).astype(str)) if value}
    if len(paths) > MOST_INPUTS:
        raise InputError(f"the table names {len(paths)} input files: expected at most {MOST_INPUTS}")
    return {path: digest_of_file(path) for path in sorted(paths)}


def _check_coordinates(plan: Plan) -> None:
    """Raise InputError where rows would need other structure factors than those that are kept from row to row."""
    if "sf_resolution_A" in dict(plan.columns) or not any(map(has_coordinates, _configs_with_each_list(plan))):
        return
    harmless = LABELS_KEPT | {
        NOISE_SEED,
        SEED,
        ORIENTATION,
        "N",
        "Na",
        "Nb",
        "Nc",
        "hkl",
        *QUATERNION,
        *PARTS[ORIENTATION],
    }
    moved = [column.name for column in plan.columns if column.name not in harmless]
    if moved:
        raise InputError(
            f"structure factors come from coordinates, to a resolution that depends on {', '.join(moved)}: expected "
            "--sf-resolution in the base"
        )


def _configs_with_each_list(plan: Plan) -> Iterator[Config]:
    """The base's configuration, with its reflections and with those that rows name."""
    yield plan.config
    for at, column in enumerate(plan.columns):
        row = keywords()[column.name].row if column.name in keywords() else None
        if row is not None and row.sets == ("hkl_file",):
            for path in np.unique(plan.table.column(at).astype(str)):
                yield replace(plan.config, hkl_file=str(path) or None)


def _measured(plan: Plan, wishes: Wishes, table: str) -> Plan:
    """The plan with the shape of its images, and with shards of a size that suits them."""
    renderer = RowRenderer(plan)
    first_error: InputError | None = None
    for row, values in enumerate(plan.table.read(0, min(FIRST_ROWS, plan.rows))):
        try:
            result = renderer.result(row, values)
        except InputError as error:
            first_error = first_error or InputError(f"{table}: row {row}: {error}")
            continue
        tell_of_defects(_as_said(plan), result.experiment)
        slow, fast = result.image.shape
        plan = replace(plan, shape=(slow, fast), template_row=row)
        if first_error is not None:
            warn(str(first_error))
        return plan if wishes.shard_rows is not None else replace(plan, shard_rows=_shard_rows(plan, wishes, values))
    raise first_error or InputError(f"{table}: has no rows")


def _as_said(plan: Plan) -> Config:
    """The configuration, with defects accepted only where the user did."""
    if plan.base.words is None:
        accepted = "none" in str(plan.base.keywords.get("fix", "")).split(",")
    else:
        accepted = scan(plan.base.words)[0].defects_accepted
    return replace(plan.config, defects_accepted=accepted)


def _shard_rows(plan: Plan, wishes: Wishes, values: Any) -> int:
    """Rows of a shard by the size of an image and the time that it takes."""
    renderer = RowRenderer(plan)
    renderer.image(plan.template_row, values)
    began = time.monotonic()
    renderer.image(plan.template_row, values)
    seconds = (time.monotonic() - began) / (wishes.threads or default_threads())
    size = plan.shape[0] * plan.shape[1] * np.dtype(plan.storage.dtype).itemsize
    most = max(1.0, min(SHARD_BYTES / size, SHARD_SECONDS / max(seconds, 1e-6), plan.rows))
    return int(float(f"{most:.2g}")) if most < 100 else int(most // 10 * 10)
