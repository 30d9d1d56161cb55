"""The masters of a batch: one for every 500 shards."""

from __future__ import annotations

import contextlib
import os

from ..base.errors import InputError
from ..formats.shard_master import MOST_SHARDS, write_master
from .plan import Plan
from .shards import missing_shards

MASTER = "batch"
ENDING = ".nxs"


def master_names(plan: Plan) -> list[str]:
    """Names of the masters: batch.nxs, or batch_0001.nxs and so on."""
    count = -(-len(plan.firsts) // MOST_SHARDS)
    return [MASTER + ENDING] if count == 1 else [f"{MASTER}_{number:04d}{ENDING}" for number in range(1, count + 1)]


def make_masters(plan: Plan) -> list[str]:
    """Write them, and remove those of an earlier kind; their paths. Raises InputError while shards are missing."""
    missing = missing_shards(plan)
    if missing:
        raise InputError(
            f"{plan.folder}: {len(missing)} of {len(plan.firsts)} shards are missing, the first with row {missing[0]}"
        )
    made = []
    for number, name in enumerate(master_names(plan)):
        firsts = plan.firsts[number * MOST_SHARDS : (number + 1) * MOST_SHARDS]
        path = os.path.join(plan.folder, name)
        temporary = f"{path}.{os.urandom(4).hex()}.part"
        try:
            write_master(temporary, [plan.shard_path(first) for first in firsts])
            os.replace(temporary, path)
        except OSError as error:
            raise OSError(error.errno, error.strerror or str(error), path) from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        made.append(path)
    return made
