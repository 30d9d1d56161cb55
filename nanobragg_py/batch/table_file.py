"""Reading a table, a block of rows at a time: CSV, or Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..base.errors import InputError
from ..base.optional import require
from .columns import REAL, TEXT, WHOLE, Column, cell_value, columns_of, is_empty

# Rows that are in memory at a time.
BLOCK_ROWS = 10_000
OPTION = "TABLE"


class Block(NamedTuple):
    """Consecutive rows, one list of values for each column."""

    values: list[list[Any]]

    def __len__(self) -> int:
        return len(self.values[0]) if self.values else 0


class TableFile(NamedTuple):
    """A table that is being read."""

    columns: tuple[Column, ...]
    blocks: Iterator[Block]


def open_table(path: str) -> TableFile:
    """The columns of a table, and its rows. Raises InputError, also while the rows are read, with file and line."""
    if not os.path.isfile(path):
        kind = "it is a folder" if os.path.isdir(path) else "no such file"
        raise InputError(f"{path}: {OPTION} cannot be read: {kind}")
    if path.lower().endswith((".parquet", ".pq")):
        return _parquet(path)
    return _csv(path)


def _csv(path: str) -> TableFile:
    rows = _csv_rows(path)
    try:
        line, header = next(rows)
    except StopIteration:
        raise InputError(f"{path}: {OPTION} is empty: expected a line with the names of columns") from None
    names = [name.strip() for name in header]
    columns = columns_of(names, f"{path}: line {line}")
    return TableFile(columns, _csv_blocks(path, columns, rows))


def _csv_rows(path: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with their line numbers."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: {OPTION} is no text in UTF-8: expected CSV, or Parquet with .parquet") from error
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}") from error


def _csv_blocks(path: str, columns: tuple[Column, ...], rows: Iterator[tuple[int, list[str]]]) -> Iterator[Block]:
    block = Block([[] for _ in columns])
    for line, row in rows:
        if len(row) != len(columns):
            raise InputError(f"{path}: line {line}: expected {len(columns)} values, got {len(row)}")
        try:
            for values, column, text in zip(block.values, columns, row, strict=True):
                values.append(cell_value(column, text))
        except InputError as error:
            raise InputError(f"{path}: line {line}: {error}") from error
        if len(block) == BLOCK_ROWS:
            yield block
            block = Block([[] for _ in columns])
    if len(block):
        yield block


def _parquet(path: str) -> TableFile:
    require("pyarrow", f"{path}: a table in Parquet")
    from ..formats.parquet import open_parquet  # an extra, and slow to load

    names, blocks = open_parquet(path, BLOCK_ROWS)
    columns = columns_of(names, path)
    return TableFile(columns, _parquet_blocks(path, columns, blocks))


def _parquet_blocks(path: str, columns: tuple[Column, ...], blocks: Iterator[list[list[Any]]]) -> Iterator[Block]:
    first = 0
    for block in blocks:
        values = [
            [_parquet_value(column, value, f"{path}: row {first + row}") for row, value in enumerate(cells)]
            for column, cells in zip(columns, block, strict=True)
        ]
        first += len(block[0]) if block else 0
        yield Block(values)


def _parquet_value(column: Column, value: Any, where: str) -> Any:
    """A value as the same cell of a CSV file would give it."""
    if value is None:
        text = ""
    elif isinstance(value, (list, tuple)):
        text = " ".join(repr(one) for one in value)
    elif column.kind == WHOLE and isinstance(value, float) and value.is_integer():
        text = str(int(value))
    elif column.kind == REAL and isinstance(value, float) and is_empty(value):
        text = ""
    elif column.kind == TEXT or isinstance(value, str):
        text = str(value)
    else:
        text = repr(value)
    try:
        return cell_value(column, text)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
