"""The evidence of a comparison of traces: the table, a Markdown report, and a folder with all of it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from .compare import Comparison, Row, Verdict
from .log import TraceLog

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


def text_table(comparison: Comparison, only_differing: bool) -> str:
    """The table for a terminal, one line for each traced line."""
    header = ("name", "A", "B", "absolute", "relative", "verdict")
    rows = [row for row in comparison.rows if not only_differing or row.verdict is not Verdict.EQUAL]
    lines = [header, *(row_cells(row, comparison) for row in rows)]
    return "\n".join(
        f"{shorten(name, NAME_WIDTH):<{NAME_WIDTH}} {shorten(a, VALUE_WIDTH):<{VALUE_WIDTH}} "
        f"{shorten(b, VALUE_WIDTH):<{VALUE_WIDTH}} {absolute:>9} {relative:>9} {verdict}"
        for name, a, b, absolute, relative, verdict in lines
    )


def structure_text(comparison: Comparison) -> str:
    """What is said before any number is compared."""
    lines = [f"structure: {line}" for line in comparison.structure]
    lines += [f"note: {line}" for line in comparison.notes]
    return "\n".join(lines or ["structure: the same lines, pixels and configuration"])


def summary_text(comparison: Comparison) -> str:
    """First and largest divergence, counts, and the verdict."""
    counts = {verdict: sum(row.verdict is verdict for row in comparison.rows) for verdict in Verdict}
    t = comparison.tolerances
    lines = [
        f"{len(comparison.rows)} values compared: {counts[Verdict.EQUAL]} equal, "
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
    lines.append(f"verdict: the traces {'agree' if comparison.agrees else 'DIFFER'}")
    return "\n".join(lines)


def evidence(comparison: Comparison, argv: list[str], commands: tuple[str | None, str | None]) -> dict[str, Any]:
    """Where, when, with what the comparison was made; for the report and metadata.json."""
    logs = ((comparison.a, commands[0]), (comparison.b, commands[1]))
    return {
        "time_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": {"name": platform.node(), "system": platform.platform(), "processor": platform.machine()},
        "versions": {"nanobragg_py": package_version(), "python": sys.version.split()[0]},
        "command": argv,
        "tolerances": vars(comparison.tolerances),
        "var": list(comparison.only_names),
        "logs": {name: log_evidence(log, command) for name, (log, command) in zip("AB", logs, strict=True)},
        "structure": comparison.structure,
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
        "sha256": log.sha256,
        "command": command or log.command,
        "program": log.banner,
        "pixels_slow_fast": [list(pixel) for pixel in log.pixels],
        "dump_file": log.dump_file,
    }


def package_version() -> str:
    """The installed version, or what is known of a checkout."""
    try:
        return metadata.version("nanobragg_py")
    except metadata.PackageNotFoundError:
        return "unknown (not installed)"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def markdown(comparison: Comparison, facts: dict[str, Any]) -> str:
    """The whole report as Markdown."""
    import shlex

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
    """Put both logs, report.md and metadata.json into folder/<UTC stamp>/; returns that folder."""
    stamp = facts["time_utc"].replace("-", "").replace(":", "")
    target = folder / stamp
    for number in range(2, 1000):
        try:
            target.mkdir(parents=True)
            break
        except FileExistsError:
            target = folder / f"{stamp}-{number}"
    shutil.copyfile(comparison.a.path, target / "a.log")
    shutil.copyfile(comparison.b.path, target / "b.log")
    (target / "report.md").write_text(markdown(comparison, facts), encoding="utf-8")
    (target / "metadata.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return target
