"""Run a tool within the test, which takes a tenth of the time of a process; or as a process, as users do."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = {
    "nb-batch": "batch.command",
    "nb-bench": "tools.bench.command",
    "nb-compare": "tools.compare.command",
    "nb-hkl": "tools.hkl",
    "nb-trace-diff": "tools.trace_diff.command",
}

Done = subprocess.CompletedProcess[str]


def within(name: str, arguments: tuple[object, ...], cwd: Path | None = None) -> Done:
    """Call a tool's main with these arguments, in a folder."""
    words = [str(argument) for argument in arguments]
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    main = import_module(f"nanobragg_py.{MODULES[name]}").main
    status = None
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]), contextlib.chdir(cwd or "."):
        try:
            main(words)
        except SystemExit as end:
            status = end.code
    out, err = (stream.buffer.getvalue().decode("utf-8") for stream in streams)  # type: ignore[attr-defined]
    return subprocess.CompletedProcess([name, *words], int(status or 0), out, err)


def process(name: str, arguments: tuple[object, ...], cwd: Path | None = None, **extra: str) -> Done:
    """Run a tool of bin/; extra goes into its environment."""
    command = [sys.executable, str(ROOT / "bin" / name), *map(str, arguments)]
    environment = {**os.environ, **extra}
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=120,
    )
