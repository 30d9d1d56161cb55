"""A plot of how time grows with pixels, steps and reflections, drawn with matplotlib."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from ...base.errors import InputError
from ...base.files import check_writable, whole_file
from ...base.optional import installs

FORMATS = ("svg", "png", "pdf")
COLOURS = ("#b2182b", "#2166ac", "#4d9221", "#762a83", "#e08214", "#1a1a1a")
MARKERS = "osD^vX"  # so that lines can be told apart without colour, too
PANEL_INCHES = (4.0, 3.8)

Point = tuple[float, float]


def check_plot(path: str) -> None:
    """Raise InputError when the plot could not be drawn: found out before the measuring, not after."""
    if format_of(path) not in FORMATS:
        raise InputError(f"{path}: --plot draws {', '.join(FORMATS)}; expected one of these as the file's ending")
    if find_spec("matplotlib") is None:
        raise InputError(f"--plot needs matplotlib, which is not installed: {installs('matplotlib')}")
    check_writable(path, "--plot")


def format_of(path: str) -> str:
    """The ending of a file's name, as matplotlib names formats."""
    return os.path.splitext(path)[1].lower().removeprefix(".")


def save_plot(path: str, workloads: Sequence[dict[str, Any]]) -> None:
    """Draw a panel for each series: seconds against the quantity that grows, both logarithmic.

    workloads: entries of the result, of which `series`, `at` and each program's `name`, `failed` and `best_s` are
    used. Raises InputError when the file cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(entry["series"] for entry in workloads if entry["series"]))
    # Text as text, and no date or random names in the file: the same data give the same bytes.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "nb-bench"}):
        width, height = PANEL_INCHES
        figure = Figure(figsize=(width * len(names), height), layout="constrained")
        panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for panel, name in zip(panels, names, strict=True):
            draw_panel(panel, name, of_series(workloads, name))
        panels[0].set_ylabel("seconds")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=max(1, len(labels)), frameon=False)
        buffer = io.BytesIO()
        kind = format_of(path)
        figure.savefig(buffer, format=kind, metadata={"Date": None} if kind == "svg" else {})
    with whole_file(path, "--plot") as file:
        file.write(buffer.getvalue())


def of_series(workloads: Sequence[dict[str, Any]], name: str) -> dict[str, list[Point]]:
    """For each program the points (quantity, best seconds) of one series, in rising order."""
    lines: dict[str, list[Point]] = {p["name"]: [] for entry in workloads for p in entry["programs"]}
    for entry in workloads:
        for program in entry["programs"] if entry["series"] == name else ():
            if not program["failed"]:
                lines[program["name"]].append((entry["at"], program["best_s"]))
    return {program: sorted(points) for program, points in lines.items()}


def draw_panel(panel: Any, name: str, lines: dict[str, list[Point]]) -> None:
    """Draw a line for each program into matplotlib's axes."""
    from matplotlib.ticker import EngFormatter

    for number, (program, points) in enumerate(lines.items()):
        panel.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=4,
            label=program,
        )
    panel.set(xscale="log", yscale="log", xlabel=name)
    panel.xaxis.set_major_formatter(EngFormatter())
    panel.yaxis.set_major_formatter("{x:g}")
    panel.minorticks_off()
    panel.grid(color="#dddddd")
