"""A plot of how time grows with pixels, steps and reflections, as SVG and without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, GAP = 300, 260, 70  # of a panel, and between panels


TOP, BOTTOM, LEFT = 50, 70, 70
COLOURS = ("#b2182b", "#2166ac", "#4d9221", "#762a83", "#e08214", "#1a1a1a")


Point = tuple[float, float]


def save_plot(path: str, workloads: Sequence[dict[str, Any]]) -> None:
    """Write a panel for each series: seconds against the quantity that grows, both logarithmic."""
    panels = [plot_panel(name, of_series(workloads, name)) for name in series_names(workloads)]
    width = LEFT + len(panels) * (WIDTH + GAP)
    height = TOP + HEIGHT + BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        lines += [f'<g transform="translate({LEFT + number * (WIDTH + GAP)} {TOP})">', *panel, "</g>"]
    programs = dict.fromkeys(program["name"] for entry in workloads for program in entry["programs"])
    lines += [f'<g transform="translate({LEFT} {TOP + HEIGHT + 50})">', *legend(list(programs)), "</g>"]
    Path(path).write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


def series_names(workloads: Sequence[dict[str, Any]]) -> list[str]:
    """The quantities that grow, in order of appearance."""
    return list(dict.fromkeys(entry["series"] for entry in workloads if entry["series"]))


def of_series(workloads: Sequence[dict[str, Any]], name: str) -> dict[str, list[Point]]:
    """For each program the points (quantity, best seconds) of one series."""
    lines: dict[str, list[Point]] = {p["name"]: [] for entry in workloads for p in entry["programs"]}
    for entry in workloads:
        for program in entry["programs"] if entry["series"] == name else ():
            if not program["failed"]:
                lines[program["name"]].append((entry["at"], program["best_s"]))
    return lines


def decades(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten that enclose the values, at least one apart."""
    positive = [value for value in values if value > 0.0] or [1.0]
    low = math.floor(math.log10(min(positive)))
    return low, max(low + 1, math.ceil(math.log10(max(positive))))


def plot_panel(name: str, lines: dict[str, list[Point]]) -> list[str]:
    """Frame, ticks and a line for each program."""
    points = [point for one in lines.values() for point in one]
    x_range, y_range = decades([x for x, _ in points]), decades([y for _, y in points])

    def place(value: float, limits: tuple[int, int], length: int) -> float:
        return round((math.log10(max(value, 1e-9)) - limits[0]) / (limits[1] - limits[0]) * length, 1)

    svg = [f'<text x="{WIDTH / 2}" y="-25" text-anchor="middle" font-size="14">seconds against {escape(name)}</text>']
    for power in range(x_range[0], x_range[1] + 1):
        x = place(10.0**power, x_range, WIDTH)
        svg.append(f'<path d="M{x} 0V{HEIGHT}" stroke="#ddd"/>')
        svg.append(f'<text x="{x}" y="{HEIGHT + 18}" text-anchor="middle">{power_text(power)}</text>')
    for power in range(y_range[0], y_range[1] + 1):
        y = HEIGHT - place(10.0**power, y_range, HEIGHT)
        svg.append(f'<path d="M0 {y}H{WIDTH}" stroke="#ddd"/>')
        svg.append(f'<text x="-8" y="{y + 4}" text-anchor="end">{power_text(power)}</text>')
    for number, one in enumerate(lines.values()):
        colour = COLOURS[number % len(COLOURS)]
        at = [(place(x, x_range, WIDTH), HEIGHT - place(y, y_range, HEIGHT)) for x, y in sorted(one)]
        path = "L".join(f"{x} {y}" for x, y in at) or "0 0"
        svg.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        svg += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in at]
    return [*svg, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#444"/>']


def power_text(power: int) -> str:
    """A power of ten in the shortest form that reads well."""
    if power < 0:
        return f"{10.0**power:.{-power}f}"
    return f"{10 ** (power % 3)} {('', 'k', 'M', 'G', 'T')[min(power // 3, 4)]}".strip()


def legend(programs: Sequence[str]) -> list[str]:
    """Names of the programs in their colours, side by side."""
    svg, x = [], 0.0
    for number, name in enumerate(programs):
        colour = COLOURS[number % len(COLOURS)]
        svg.append(f'<path d="M{x} -4h24" stroke="{colour}" stroke-width="2"/>')
        svg.append(f'<text x="{x + 30}" y="0" fill="{colour}">{escape(name)}</text>')
        x += 60 + 7 * len(name)
    return svg
