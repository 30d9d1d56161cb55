"""Checking a batch: every image against its checksum and its row, and some against a rendering of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..base.errors import InputError, printable, silenced
from ..formats.shard import RENDERED, ShardReader
from ..rendering.renderer import default_threads
from .base import digest_of_file
from .columns import values_text
from .plan import Plan
from .rows import RowRenderer, checksum_of
from .shards import failures, missing_shards


def check_batch(plan: Plan, sample: int, seed: int, threads: int | None = None) -> int:
    """Print what is wrong; 0 when all is well, otherwise 1.

    sample: so many images, chosen by seed, are rendered anew.
    """
    wrong = list(_missing(plan))
    there = sorted(set(plan.firsts) - set(missing_shards(plan)))
    checked = 0
    with ThreadPoolExecutor(threads or default_threads()) as pool:
        for images, found in pool.map(lambda first: _check_shard(plan, first), there):
            checked += images
            wrong += found
    wrong += [f"row {row} failed: {text}" for row, text in sorted(failures(plan).items())]
    again, different = _sample(plan, there, sample, seed)
    wrong += different
    for text in wrong:
        print(printable(text))
    print(f"{checked} of {plan.rows} images have their checksums; {again} were rendered anew; {len(wrong)} complaints")
    return 1 if wrong else 0


def _missing(plan: Plan) -> Iterator[str]:
    for first in missing_shards(plan):
        yield f"{os.path.basename(plan.shard_path(first))}: is missing"
    for path, digest in plan.inputs.items():
        try:
            same = digest_of_file(path) == digest
        except InputError as error:
            yield str(error)
            continue
        if not same:
            yield f"{path}: is not the file any more that the images were made with"


def _check_shard(plan: Plan, first: int) -> tuple[int, list[str]]:
    """How many images of a shard are as their checksums say, and what is wrong."""
    name = os.path.basename(plan.shard_path(first))
    rows = list(plan.table.read(first, first + plan.rows_of(first)))
    wrong, good = [], 0
    try:
        reader = ShardReader(plan.shard_path(first))
    except OSError as error:
        return 0, [f"{name}: cannot be read: {error}"]
    try:
        if reader.first != first or reader.rows != len(rows):
            return 0, [f"{name}: has {reader.rows} rows from {reader.first} on, expected {len(rows)} from {first} on"]
        for at, values in enumerate(rows):
            if reader.status[at] != RENDERED:
                continue
            try:
                chunk = reader.chunk(at)
            except (OSError, RuntimeError) as error:
                wrong.append(f"{name}: row {first + at}: its image cannot be read: {error}")
                continue
            if checksum_of(values_text(plan.columns, values), chunk) == int(reader.checksum[at]):
                good += 1
            else:
                wrong.append(f"{name}: row {first + at}: image and row are not those of the checksum")
    finally:
        reader.close()
    return good, wrong


def _sample(plan: Plan, there: list[int], count: int, seed: int) -> tuple[int, list[str]]:
    """How many images were rendered anew, and which of them are different."""
    done = np.array([row for first in there for row in range(first, first + plan.rows_of(first))], dtype=np.int64)
    chosen = np.sort(np.random.default_rng(seed).permutation(done)[:count])
    renderer = RowRenderer(plan, default_threads())
    wrong, again = [], 0
    for row in chosen.tolist():
        first = row - row % plan.shard_rows
        try:
            reader = ShardReader(plan.shard_path(first))
        except OSError:
            continue  # Told of already.
        try:
            if reader.status[row - first] != RENDERED:
                continue
            pixels = reader.pixels(row - first)
        except (OSError, RuntimeError):
            continue
        finally:
            reader.close()
        again += 1
        with silenced(True):
            image = renderer.image(row, plan.values(row))
        if image.pixels.dtype != pixels.dtype or not np.array_equal(image.pixels, pixels, equal_nan=True):
            wrong.append(f"row {row}: rendered anew, {int(np.sum(image.pixels != pixels))} pixels are different")
    return again, wrong
