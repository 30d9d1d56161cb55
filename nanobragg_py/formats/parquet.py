"""Tables in Parquet, of pyarrow: names of columns, and values a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.parquet

from ..base.errors import InputError, shown


def open_parquet(path: str, block_rows: int) -> tuple[list[str], Iterator[list[list[Any]]]]:
    """Names of the columns, and blocks of rows: a list of Python's values for each column. Raises InputError."""
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {shown(str(error))}") from error
    return [str(name) for name in file.schema_arrow.names], _blocks(path, file, block_rows)


def _blocks(path: str, file: Any, block_rows: int) -> Iterator[list[list[Any]]]:
    try:
        for batch in file.iter_batches(batch_size=block_rows):
            yield [column.to_pylist() for column in batch.columns]
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {shown(str(error))}") from error
