"""The machine that is measured on, and the versions of what is measured."""

from __future__ import annotations

import os
import platform
import resource
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ... import __version__

BYTES_PER_RSS = 1 if sys.platform == "darwin" else 1024


def machine_facts() -> dict[str, Any]:
    """When, where and with which versions something is measured, ready for JSON."""
    versions: dict[str, str | None] = {
        "nanobragg_py": __version__,
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
    }
    for name in ("numpy", "numba", "llvmlite"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor_name(),
        "cores": cores(),
        "cores_of_machine": os.cpu_count(),
        "system": platform.platform(),
        "load_average": [round(x, 2) for x in os.getloadavg()],
        "versions": versions,
        "memory_floor_bytes": memory_floor(),
    }


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """What the system calls the processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory_floor() -> int:
    """The least that the kernel can count for a child process: the most that this process has held [bytes]."""
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_RSS
