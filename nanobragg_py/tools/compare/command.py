"""nb-compare: how much two images differ, or everything that two programs write, for people and for CI."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...base.errors import InputError
from ...base.files import check_writable
from ..command import ToolCommand, note, warn, write_text

if TYPE_CHECKING:
    from .checks import Settings

NAME = "nb-compare"
HELP = """Compare two images, or all that two programs write when they are run with the same arguments.

A and B are raw float32 images (.bin, or a file of no known format), SMV, CBF, HDF5 (FILE::NUMBER is one image of
many), EDF, TIFF, PGM, NPY, or another format that fabio reads. The shape of a raw image is that of --shape, of an
SMV header beside it (FILE.img, intimage.img, …: SIZE2 x SIZE1), of the other image, or a square.

Printed (and with --json written): whether they are identical (bit for bit, of the pixels), number of differing
pixels, Pearson correlation, sum ratio, RMS and largest difference (absolute, relative |a-b|/max(|a|,|b|), and in
float32 ulps) with the pixel, mean and largest ratio of the pixels that are positive in both, and by how many
pixels the brightest peaks are displaced. All ratios are B over A. Intensities keep the unit of the files.

A peak is brighter than all pixels up to 3 rows and columns away. Peaks are matched one to one and greedily:
the nearest pair within --reach first, among twice as many candidates as --peaks. A common shift is found
while it is less than half the distance between peaks.

Without a threshold, the images must be identical. With thresholds, these and nothing else decide. With --a and
--b, both programs run in temporary folders of their own, without a shell; relative files among ARGS are copied
there. Exit statuses, standard output (memory addresses aside) and all files are compared. Without thresholds,
all must be identical; with them, images must pass, while other files and the output are only reported.

\b
Exit status:
  0  identical, or every threshold passed
  1  different, or a threshold failed
  2  cannot be compared (unreadable file, unequal shapes, bad arguments)

\b
Examples:
  nb-compare golden/floatimage.bin floatimage.bin
  nb-compare --min-corr 0.9999 --sum-ratio 0.999 1.001 golden.bin new.bin
  nb-compare --max-ulp 1 --json result.json --png result.png golden.bin new.bin
  nb-compare --shape 2527 2463 --roi 0 99 500 599 a.bin b.npy
  nb-compare --a ./nanoBragg_c --b nanoBragg -- -hkl P1.hkl -matrix A.mat -lambda 1
"""

OF_PROGRAMS = ("ignore_line", "keep", "timeout")


@click.command(name="nb-compare", cls=ToolCommand, help=HELP)
@click.argument("words", nargs=-1, metavar="A B | -- ARGS…", type=click.UNPROCESSED)
@click.option("--a", "command_a", metavar="CMD", help="Program A, quoted with its own arguments if any.")
@click.option("--b", "command_b", metavar="CMD", help="Program B; both get ARGS.")
@click.option("--shape", nargs=2, type=click.IntRange(1), metavar="SLOW FAST", help="Shape of raw images.")
@click.option(
    "--roi",
    nargs=4,
    type=int,
    metavar="FAST0 FAST1 SLOW0 SLOW1",
    help="Region to compare [pixels, from 0, limits included], as nanoBragg's -roi.",
)
@click.option(
    "--peaks",
    type=click.IntRange(0, 1000),
    default=20,
    show_default=True,
    metavar="N",
    help="How many of the brightest peaks to match.",
)
@click.option(
    "--reach",
    type=click.FloatRange(0),
    default=20.0,
    show_default=True,
    metavar="PIXELS",
    help="Largest distance of two peaks that may be the same.",
)
@click.option("--identical", is_flag=True, help="Threshold: equal bit for bit (programs: all files).")
@click.option("--min-corr", type=float, metavar="X", help="Threshold: correlation at least X.")
@click.option("--sum-ratio", nargs=2, type=float, metavar="LO HI", help="Threshold: LO <= sum B/sum A <= HI.")
@click.option("--max-ulp", type=float, metavar="N", help="Threshold: largest difference in float32 ulps.")
@click.option("--max-abs", type=float, metavar="X", help="Threshold: largest absolute difference.")
@click.option("--max-rel", type=float, metavar="X", help="Threshold: largest relative difference.")
@click.option("--max-rms", type=float, metavar="X", help="Threshold: RMS difference.")
@click.option("--max-differing", type=int, metavar="N", help="Threshold: number of differing pixels.")
@click.option(
    "--max-shift",
    type=float,
    metavar="PIXELS",
    help="Threshold: displacement of each peak. A peak without partner fails (ask for no more --peaks "
    "than the image has), and so do images without peaks.",
)
@click.option(
    "--json", "json_path", metavar="FILE", help="Write everything as JSON; '-' is standard output, instead of the text."
)
@click.option(
    "--png",
    metavar="FILE",
    help="Draw A, B and B-A side by side, on log scales. With --a and --b: the first image that differs.",
)
@click.option(
    "--ignore-line",
    multiple=True,
    metavar="REGEX",
    help="With --a and --b: leave matching lines of standard output out (may be repeated).",
)
@click.option("--keep", metavar="DIR", help="With --a and --b: keep the folders as DIR/a and DIR/b.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="With --a and --b: seconds that a program may take; no limit by default.",
)
def main(words: tuple[str, ...], command_a: str | None, command_b: str | None, json_path: str | None,
         png: str | None, **options: Any) -> int:  # fmt: skip
    """Compare; the exit status."""
    settings = settings_of(options)
    for path, option in ((json_path, "--json"), (png, "--png")):
        if path is not None and path != "-":
            check_writable(path, option)
    if command_a is None and command_b is None:
        if len(words) != 2:
            raise click.UsageError(f"expected two images, or --a CMD --b CMD -- ARGS; got {len(words)} images")
        if any(options[name] for name in OF_PROGRAMS):
            raise click.UsageError("--ignore-line, --keep and --timeout go with --a and --b")
        result, text = compare_two_files(*words, options["shape"], settings, png)
    elif command_a is None or command_b is None:
        raise click.UsageError("--a and --b go together")
    else:
        result, text = compare_two_programs(command_a, command_b, list(words), options, settings, png)
    if json_path is not None:
        write_json(json_path, result)
    if json_path != "-":
        print(f"{text}\nverdict: {'passed' if result['passed'] else 'FAILED'}")
    return 0 if result["passed"] else 1


def settings_of(options: dict[str, Any]) -> Settings:
    """The settings that the options say. Raises click.UsageError for a threshold that nothing can fulfil."""
    from dataclasses import fields

    from .checks import Settings, Thresholds

    thresholds = Thresholds(**{field.name: options[field.name] for field in fields(Thresholds)})
    for field in fields(thresholds):
        value = getattr(thresholds, field.name)
        option = f"--{field.name.replace('_', '-')}"
        if any(x != x for x in (value if isinstance(value, tuple) else (value,))):
            raise click.UsageError(f"{option}: not a number")
        if field.name.startswith("max_") and value is not None and value < 0:
            raise click.UsageError(f"{option} {value:g}: expected a number of at least 0")
    if thresholds.sum_ratio and thresholds.sum_ratio[0] > thresholds.sum_ratio[1]:
        raise click.UsageError("--sum-ratio: expected the lower limit before the upper one")
    return Settings(options["roi"], options["peaks"], options["reach"], thresholds)


def compare_two_files(
    path_a: str, path_b: str, shape: tuple[int, int] | None, settings: Settings, png: str | None
) -> tuple[dict[str, Any], str]:
    """Result and text for two image files. Raises InputError."""
    from ...formats.any_image import read_image
    from .checks import checks_text, compare_images, text

    a = read_image(path_a, shape)
    b = read_image(path_b, shape, a.pixels.shape)
    if a.shape_from == "a square" and b.shape_from != "the other image" and a.pixels.size == b.pixels.size:
        a = read_image(path_a, shape, b.pixels.shape)
    if is_same_file(path_a, path_b):
        warn(NAME, f"A and B are the same file: {path_a}" + (f" and {path_b}" if path_b != path_a else ""))
    if shape is not None and a.shape_from == b.shape_from == "file":
        warn(NAME, "--shape is for raw images; both files say their own shape")
    result = compare_images(a, b, settings)
    if png is not None:
        draw(png, a.pixels, b.pixels, (path_a, path_b), result["roi_fast_slow"])
    return result, f"{text(result)}\n{checks_text(result['checks'])}"


def is_same_file(path_a: str, path_b: str) -> bool:
    """Whether two paths lead to one file, or name the same part of one (FILE::PART)."""
    with contextlib.suppress(OSError):
        return os.path.samefile(path_a, path_b)
    return path_a == path_b


def compare_two_programs(
    command_a: str, command_b: str, arguments: list[str], options: dict[str, Any], settings: Settings,
    png: str | None,
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """Result and text for two programs, run in folders that are removed unless they are to be kept."""
    from .programs import compare_runs, run, text

    try:
        ignored = [re.compile(pattern.encode()) for pattern in options["ignore_line"]]
    except re.error as error:
        raise click.UsageError(f"--ignore-line: {error}") from error
    keep = options["keep"]
    if keep and os.path.exists(keep):
        raise InputError(f"{keep}: --keep names what exists already; expected a new folder")
    folder = Path(keep or tempfile.mkdtemp(prefix="nb-compare-"))
    try:
        a = run(command_a, arguments, folder / "a", options["timeout"])
        b = run(command_b, arguments, folder / "b", options["timeout"])
        result = compare_runs(a, b, arguments, options["shape"], settings, ignored)
        if png is not None:
            draw_first_difference(png, result)
        return result, text(result)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def draw_first_difference(png: str, result: dict[str, Any]) -> None:
    """Draw the first image file that differs between two programs; say so if there is none."""
    from ...formats.any_image import read_image

    for entry in result["files"]:
        if "image" in entry:
            a, b = (
                read_image(facts["path"], tuple(facts["shape_slow_fast"])).pixels
                for facts in (entry["image"]["a"], entry["image"]["b"])
            )
            draw(png, a, b, (entry["name"], entry["name"]), entry["image"]["roi_fast_slow"])
            return
    note(NAME, "no image differs; no --png written")


def draw(png: str, a: Any, b: Any, titles: tuple[str, str], roi: list[int]) -> None:
    """Draw the region of two images."""
    from .checks import region
    from .picture import save_picture

    limits = (roi[0], roi[1], roi[2], roi[3])
    save_picture(png, region(a, limits), region(b, limits), titles, (roi[2], roi[0]))


def write_json(path: str, result: dict[str, Any]) -> None:
    """Write the result; what is not defined is null, and so are infinities, which JSON does not have."""
    text = json.dumps(finite(result), indent=2) + "\n"
    if path == "-":
        print(text, end="")
    else:
        write_text(path, "--json", text)


def finite(value: Any) -> Any:
    """The same with None for numbers that are not finite."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(entry) for entry in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


if __name__ == "__main__":
    main()
