"""The evidence of a comparison of traces: the table, a Markdown report, and a folder with all of it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ... import __version__
from ..command import write_text
from .compare import Comparison, names_of
from .log import TraceLog
from .structure import counted
from .values import Row, Verdict

HEADINGS = ("name", "A", "B", "absolute", "relative", "verdict")
NAME_WIDTH, VALUE_WIDTH = 36, 24


def shorten(text: str, width: int) -> str:
    """The text in at most `width` characters: the middle gives way."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def row_name(row: Row, comparison: Comparison) -> str:
    """Name, occurrence where there are several, and component: `hkl_frac #2 .x`."""
    name = row.a.name
    if name in comparison.repeated:
        name += f" #{row.a.occurrence}"
    if len(set(comparison.a.pixels)) > 1 and row.a.pixel:
        name = f"({row.a.pixel[0]},{row.a.pixel[1]}) {name}"
    return f"{name} .{row.label}" if row.label else name


def row_cells(row: Row, comparison: Comparison) -> tuple[str, ...]:
    """The six columns of the table as text."""
    absolute, relative = (" -" if x is None else f"{x:.3g}" for x in (row.absolute, row.relative))
    return (row_name(row, comparison), row.text_a, row.text_b, absolute, relative, row.verdict.value)


def terminal_text(comparison: Comparison, only_differing: bool) -> str:
    """Everything for a terminal: the structure before the values, or, of values asked for by name, the values first."""
    parts = [text_table(comparison, only_differing), summary_text(comparison)]
    structure = structure_text(comparison)
    parts.insert(len(parts) if comparison.only_names else 0, structure)
    return "\n\n".join(part for part in parts if part)


def text_table(comparison: Comparison, only_differing: bool) -> str:
    """The table, one line for each traced line; nothing where it has no rows."""
    rows = [row for row in comparison.rows if not only_differing or row.verdict is not Verdict.EQUAL]
    if not rows:
        return ""
    cells = [row_cells(row, comparison) for row in rows]
    name_width, value_width = NAME_WIDTH, VALUE_WIDTH
    if comparison.only_names:  # what was asked for is shown in full
        name_width = max(name_width, *(len(name) for name, *_ in cells))
        value_width = max(value_width, *(len(text) for _, a, b, *_ in cells for text in (a, b)))
    return "\n".join(
        f"{shorten(name, name_width):<{name_width}} {shorten(a, value_width):<{value_width}} "
        f"{shorten(b, value_width):<{value_width}} {absolute:>9} {relative:>9} {verdict}"
        for name, a, b, absolute, relative, verdict in [HEADINGS, *cells]
    )


def structure_text(comparison: Comparison) -> str:
    """What differs beside the values, and what is worth knowing.

    Where values were asked for by name, the lines that only one trace has are counted and not named.
    """
    if comparison.only_names:
        structure = comparison.structure + counted(comparison.one_sided)
    else:
        structure = comparison.whole_structure
    lines = [f"structure: {line}" for line in structure] + [f"note: {line}" for line in comparison.notes]
    return "\n".join(lines or ["structure: the same lines, pixels and configuration"])


def summary_text(comparison: Comparison) -> str:
    """First and largest divergence, counts, and the verdict."""
    counts = {verdict: sum(row.verdict is verdict for row in comparison.rows) for verdict in Verdict}
    t, total = comparison.tolerances, len(comparison.rows)
    lines = [
        f"{total} value{'' if total == 1 else 's'} compared: {counts[Verdict.EQUAL]} equal, "
        f"{counts[Verdict.CLOSE]} within tolerance, {counts[Verdict.DIFFERS]} differ "
        f"(rtol {t.rtol:g}, atol {t.atol:g}, noise {t.noise:.3g})"
    ]
    for title, row in (("first divergence", comparison.first), ("largest divergence", comparison.largest)):
        if row is not None:
            size = "" if row.relative is None else f" (absolute {row.absolute:.3g}, relative {row.relative:.3g})"
            lines.append(
                f"{title}: {row_name(row, comparison)}: A {row.text_a}, B {row.text_b}{size}; "
                f"line {row.a.number} of A, line {row.b.number} of B"
            )
    lines.append(f"verdict: {verdict_text(comparison)}")
    return "\n".join(lines)


def verdict_text(comparison: Comparison) -> str:
    """`the traces agree`, or, where values were asked for by name, `F_cell DIFFERS`."""
    if not comparison.only_names:
        return f"the traces {'agree' if comparison.agrees else 'DIFFER'}"
    differing = {name for row in comparison.differing for name in names_of(row.a)}
    names = [name for name in comparison.only_names if name in differing] or comparison.only_names
    verb = ("DIFFERS", "DIFFER") if differing else ("agrees", "agree")
    return f"{' and '.join(names)} {verb[len(names) > 1]}"


def evidence(comparison: Comparison, argv: list[str], commands: tuple[str | None, str | None]) -> dict[str, Any]:
    """Where, when, with what the comparison was made; for the report and metadata.json."""
    logs = ((comparison.a, commands[0]), (comparison.b, commands[1]))
    return {
        "time_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {"name": platform.node(), "system": platform.platform(), "processor": platform.machine()},
        "versions": {"nanobragg_py": __version__, "python": sys.version.split()[0]},
        "command": argv,
        "tolerances": vars(comparison.tolerances),
        "var": list(comparison.only_names),
        "logs": {name: log_evidence(log, command) for name, (log, command) in zip("AB", logs, strict=True)},
        "structure": comparison.whole_structure,
        "notes": comparison.notes,
        "values": len(comparison.rows),
        "differing": len(comparison.differing),
        "first_divergence": comparison.first and comparison.first.a.name,
        "largest_divergence": comparison.largest and comparison.largest.a.name,
        "agrees": comparison.agrees,
    }


def log_evidence(log: TraceLog, command: str | None) -> dict[str, Any]:
    """What is known of a log: the command is as given, or as a `$ ` line of the log has it."""
    return {
        "path": os.path.abspath(log.path),
        "sha256": hashlib.sha256(log.content).hexdigest(),
        "command": command or log.command,
        "program": log.banner,
        "pixels_slow_fast": [list(pixel) for pixel in log.pixels],
        "dump_file": log.dump_file,
    }


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", "\\|")


def markdown(comparison: Comparison, facts: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    machine, versions = facts["machine"], facts["versions"]
    lines = [
        "# Comparison of two traces",
        "",
        f"- time: {facts['time_utc']}",
        f"- machine: {machine['name']}, {machine['system']}, {machine['processor']}",
        f"- versions: nanobragg_py {versions['nanobragg_py']}, Python {versions['python']}",
        f"- this comparison: `{shlex.join(facts['command'])}`",
    ]
    for name, log in facts["logs"].items():
        command = f"`{log['command']}`" if log["command"] else f"not recorded (say --command-{name.lower()})"
        lines += [
            "",
            f"## Log {name}",
            "",
            f"- file: `{log['path']}`",
            f"- sha256: `{log['sha256']}`",
            f"- program: {log['program'] or 'does not name itself'}",
            f"- command: {command}",
        ]
    lines += ["", "## Structure", "", *(f"- {line}" for line in structure_text(comparison).splitlines())]
    lines += ["", "## Result", "", *(f"- {line}" for line in summary_text(comparison).splitlines())]
    lines += [
        "",
        "## Values",
        "",
        "| name | A | B | absolute | relative | verdict |",
        "|---|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(map(cell, row_cells(row, comparison))) + " |" for row in comparison.rows]
    return "\n".join(lines) + "\n"


def write_evidence(folder: Path, comparison: Comparison, facts: dict[str, Any]) -> Path:
    """Put both logs, report.md and metadata.json into folder/<UTC time>/; returns that folder."""
    target = new_folder(folder, facts["time_utc"].replace("-", "").replace(":", ""))
    (target / "a.log").write_bytes(comparison.a.content)
    (target / "b.log").write_bytes(comparison.b.content)
    write_text(target / "report.md", "--out-dir", markdown(comparison, facts))
    write_text(target / "metadata.json", "--out-dir", json.dumps(facts, indent=2) + "\n")
    return target


def new_folder(parent: Path, name: str) -> Path:
    """Make parent/name, or parent/name-2, -3, … where that is taken."""
    parent.mkdir(parents=True, exist_ok=True)
    folder, number = parent / name, 1
    while True:
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
            folder = parent / f"{name}-{number}"
