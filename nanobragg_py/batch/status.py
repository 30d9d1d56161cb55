"""How far a batch is, from its files."""

from __future__ import annotations

import os
import time

from .master import master_names
from .plan import Plan
from .shards import failures, missing_shards


def print_status(plan: Plan) -> int:
    """Print it; 0 when the batch is complete and no row failed, otherwise 1."""
    missing = missing_shards(plan)
    failed = failures(plan)
    done = plan.rows - sum(plan.rows_of(first) for first in missing)
    shards = len(plan.firsts)
    slow, fast = plan.shape
    size = sum(os.path.getsize(plan.shard_path(first)) for first in set(plan.firsts) - set(missing))
    kind = "counts" if plan.noise else "photons"
    print(f"batch:   {plan.folder}")
    print(f"images:  {plan.rows} of {fast} x {slow} pixels, {kind} as {plan.storage.dtype}")
    print(f"rows:    {done} done, {plan.rows - done} missing, {len(failed)} failed")
    print(f"shards:  {shards - len(missing)} of {shards}, {plan.shard_rows} rows each, {size / 1e6:.4g} MB")
    if missing:
        print(f"missing: from row {missing[0]} on" if len(missing) > 1 else f"missing: the shard of row {missing[0]}")
    else:
        there = [name for name in master_names(plan) if os.path.exists(os.path.join(plan.folder, name))]
        print(f"as one:  {' '.join(there) or 'not there: nb-batch merge makes it'}")
    unfinished = [name for name in sorted(os.listdir(plan.folder)) if name.endswith(".part")]
    for name in unfinished:
        age = time.time() - os.stat(os.path.join(plan.folder, name)).st_mtime
        print(f"at work: {name}, written to {age:.0f} s ago")
    for row in sorted(failed):
        print(f"failed:  row {row}: {failed[row]}")
    return 1 if missing or failed else 0
