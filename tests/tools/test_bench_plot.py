"""The plot of nb-bench: every point where it belongs, every format, and what happens without matplotlib."""

from __future__ import annotations

import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from nanobragg_py.tools.bench.plot import draw_panel, of_series, save_plot

ROOT = Path(__file__).resolve().parents[2]


def entry(series: str | None, at: int | None, seconds: float, failed: bool = False) -> dict[str, Any]:
    """A workload of the result as far as the plot needs it; the other program takes ten times as long."""
    programs = [{"name": "ours", "failed": False, "best_s": seconds},
                {"name": "<C>", "failed": failed, "best_s": 10 * seconds}]  # fmt: skip
    return {"series": series, "at": at, "programs": programs}


GROWTH = [entry("pixels", 10_000, 2.0), entry("pixels", 100, 0.1), entry("steps per pixel", 1, 1.0, failed=True),
          entry(None, None, 7.0)]  # fmt: skip


def test_points_are_those_of_a_series_in_rising_order_without_failures() -> None:
    assert of_series(GROWTH, "pixels") == {"ours": [(100, 0.1), (10_000, 2.0)], "<C>": [(100, 1.0), (10_000, 20.0)]}
    assert of_series(GROWTH, "steps per pixel") == {"ours": [(1, 1.0)], "<C>": []}


def test_a_panel_has_a_line_for_each_program_on_logarithmic_scales() -> None:
    pytest.importorskip("matplotlib", reason="make docs installs it")
    from matplotlib.figure import Figure

    panel = Figure().subplots()
    draw_panel(panel, "pixels", of_series(GROWTH, "pixels"))
    assert (panel.get_xscale(), panel.get_yscale(), panel.get_xlabel()) == ("log", "log", "pixels")
    drawn = {line.get_label(): line.get_xydata().tolist() for line in panel.get_lines()}
    assert drawn == {"ours": [[100, 0.1], [10_000, 2.0]], "<C>": [[100, 1.0], [10_000, 20.0]]}
    assert panel.xaxis.get_major_formatter()(10_000) == "10 k" and panel.yaxis.get_major_formatter()(0.1) == "0.1"
    assert len(panel.xaxis.get_minorticklocs()) == len(panel.yaxis.get_minorticklocs()) == 0
    looks = [(line.get_color(), line.get_marker()) for line in panel.get_lines()]
    assert len({colour for colour, _ in looks}) == len({marker for _, marker in looks}) == 2


def test_the_plot_is_svg_with_a_panel_for_each_series_and_always_the_same(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="make docs installs it")
    for name in ("a.svg", "b.svg"):
        save_plot(str(tmp_path / name), GROWTH)
    text = [element.text for element in ET.parse(tmp_path / "a.svg").getroot().iter() if element.tag.endswith("text")]
    assert [text.count(word) for word in ("seconds", "pixels", "steps per pixel", "ours", "<C>")] == [1] * 5
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert [f'id="axes_{number}"' in (tmp_path / "a.svg").read_text() for number in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(("name", "start"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.PNG", b"\x89PNG")])
def test_the_ending_says_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    pytest.importorskip("matplotlib", reason="make docs installs it")
    save_plot(str(tmp_path / name), GROWTH)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_without_matplotlib_nothing_is_measured_and_the_remedy_is_said(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from nanobragg_py.tools.bench.command import main\n"
        "main(['grow_pixels_64', '--plot', 'x.svg'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    remedy = f"{shlex.quote(sys.executable)} -m pip install matplotlib"
    assert done.stderr == f"nb-bench: error: --plot needs matplotlib, which is not installed: {remedy}\n"
