"""Entry points of the installed programs: Ctrl-C is heard before anything is imported that takes time."""

from __future__ import annotations

import importlib
import signal


def _start(module: str) -> None:
    """Call `main` of a module of the package."""
    # Until the program takes over, Ctrl-C ends it at once, instead of a traceback; one that is ignored (by nohup) stays
    # ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    importlib.import_module(f"{__package__}.{module}").main()


def nanobragg() -> None:
    """nanoBragg."""
    _start("commandline.cli")


def nb_batch() -> None:
    """nb-batch."""
    _start("batch.command")


def nb_bench() -> None:
    """nb-bench."""
    _start("tools.bench.command")


def nb_compare() -> None:
    """nb-compare."""
    _start("tools.compare.command")


def nb_hkl() -> None:
    """nb-hkl."""
    _start("tools.hkl")


def nb_trace_diff() -> None:
    """nb-trace-diff."""
    _start("tools.trace_diff.command")


def noisify() -> None:
    """noisify."""
    _start("noisify.command")


def nonbragg() -> None:
    """nonBragg."""
    _start("nonbragg.command")
