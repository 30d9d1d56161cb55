"""What is said on standard error: as much as was asked for, and never nothing where a run fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from forked import BASE, LIST, run_forked

CUBE = "-default_F 100 -cell 50 60 70 90 90 90 -N 3 -detpixels 16 -pixel 1 -oversample 1 -nonoise".split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "P1.hkl").write_text(LIST)
    return tmp_path


NINE = [
    "",
    "-hkl P1.hkl",
    "-hkl none.hkl",
    "-cell 50 60 70",
    "-default_F 0 -cell 50",
    "-default_F 100",
    "-default_F 100 -cell 0",
    "-mat none.mat",
    "-dump none.bin -cell 50",
    "-hkl P1.hkl -cell",
    "-cell 50 -default_F 1 --preveiw",
    "--completion",
    "--quiet",
    "--quiet -hkl P1.hkl",
    "--quiet -cell 50 -default_F 1 -lambda x",
    "--fix none",
]


@pytest.mark.parametrize("line", NINE)
def test_exit_status_9_is_never_silent(line: str, folder: Path) -> None:
    """One line on standard error says why; usage and log are on standard output, where nobody may look."""
    result = run_forked(line.split(), folder)
    assert result.status == 9
    assert result.complaint and result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-hkl P1.hkl", "no unit cell: expected -cell, -mat, or an -hkl file that has one"),
        ("-cell 50", "no structure factors: expected -hkl, -default_F, or the dump of an earlier run"),
    ],
)
def test_what_is_missing_is_named(line: str, says: str, folder: Path) -> None:
    assert run_forked(line.split(), folder).complaint == says


def test_quiet_leaves_errors(folder: Path) -> None:
    """Warnings, notes and known defects are kept back; log, files and errors are not."""
    words = [
        *BASE,
        "-default_F",
        "5",
        "-distance",
        "50mm",
        "-nosuch",
        "-water",
        "60",
        "-misset",
        "random",
        "-misset_seed",
        "1",
    ]
    spoken = run_forked(words, folder)
    quiet = run_forked([*words, "--quiet"], folder)
    assert len(spoken.warnings) >= 3
    assert (quiet.status, quiet.err, quiet.out) == (0, "", spoken.out)
    assert quiet.files.keys() == spoken.files.keys()
    failed = run_forked([*words, "--quiet", "-lambda", "0"], folder)
    assert failed.err == "nanoBragg: error: -lambda: expected a wavelength above 0 Å, got 0\n"
    # The next run in the same process speaks again.
    assert run_forked(words, folder).err == spoken.err


def test_known_defects_are_accepted(folder: Path) -> None:
    words = [*CUBE, "-water", "60", "-fluence", "1e24"]
    warned = run_forked(words, folder)
    assert len(warned.warnings) == 1
    assert warned.warnings[0].startswith("known defects of the C program change this image: water (a factor of ")
    assert "--fix water corrects it, --fix none accepts the image as it is, --fix list explains" in warned.warnings[0]
    accepted = run_forked([*words, "--fix", "none"], folder)
    assert (accepted.err, accepted.out, accepted.files) == ("", warned.out, warned.files)
    # Others that are named are corrected all the same.
    mixed = run_forked([*words, "--fix", "water,none"], folder)
    assert mixed.err == "" and mixed.files["floatimage.bin"] != warned.files["floatimage.bin"]


def test_what_hardly_matters_is_said_when_asked_for(folder: Path) -> None:
    """Sub-pixels of an ordinary detector: a part in a thousand."""
    words = [*CUBE, "-oversample", "2", "-distance", "1000"]
    assert run_forked(words, folder).err == ""
    told = run_forked([*words, "--verbose"], folder).err
    assert told.startswith("nanoBragg: known defects of the C program that change no pixel by 1 %: subpixel (0.")
    assert told.endswith("; --fix corrects them\n") and told.count("\n") == 1
    assert run_forked([*words, "--verbose", "--quiet"], folder).err == ""
    assert run_forked([*words, "--verbose", "--fix", "subpixel"], folder).err == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-lambda 1000", "the wavelength is 1000 Å (0.0124 keV): -lambda takes Å, -energy eV"),
        ("-energy 12.4", "the wavelength is 999.873 Å (0.0124 keV): -lambda takes Å, -energy eV"),
        ("-lambda 1e-10", "the wavelength is 1e-10 Å (1.24e+11 keV): -lambda takes Å, -energy eV"),
        ("-distance 0.1", "the detector is 0.1 mm from the sample: -distance takes mm"),
        ("-pixel 172", "a pixel measures 172 mm: -pixel takes mm"),
        ("-pixel 1e-4", "a pixel measures 0.0001 mm: -pixel takes mm"),
        (
            "-cell 50 60 70 1.57 1.57 1.57",
            "the cell's angles are 1.57 1.57 1.57 degrees: -cell takes degrees, and these",
        ),
        ("-misset 0 1.5708 0", "-misset 0 1.5708 0 is in degrees, and looks like radians"),
        ("-twotheta 1.5708", "-twotheta 1.5708 is in degrees, and looks like radians"),
        ("-roi 5 3 1 2", "-roi 5 3 1 2 leaves none of the 16 x 16 pixels: it takes the first and the last fast"),
        ("-roi 16 20 0 9", "-roi 16 20 0 9 leaves none of the 16 x 16 pixels"),
        ("-N 0", "-N 0: a crystal has at least one cell along each axis, and gets one"),
        ("-Nb -2", "-Nb -2: a crystal has at least one cell along each axis, and gets one"),
    ],
)
def test_values_in_another_unit(words: str, says: str, folder: Path) -> None:
    """The run goes on, as the C program's, with a warning."""
    result = run_forked([*CUBE, "--fix", "all", *words.split()], folder)
    assert result.status == 0, result.err
    assert len(result.warnings) == 1 and result.warnings[0].startswith(says), result.err


@pytest.mark.parametrize(
    "words",
    [
        "-lambda 0.5",
        "-lambda 6",
        "-energy 12400",
        "-distance 5000",
        "-pixel 0.055",
        "-cell 50 60 70 60 70 80",
        "-misset 90 1.5 0",
        "-phi 1.5 -osc 1",
        "-roi -1 -1 -1 -1",
        "-roi 3 3 15 15",
        "-N 1",
    ],
)
def test_ordinary_values_are_not_doubted(words: str, folder: Path) -> None:
    assert run_forked([*CUBE, "--fix", "all", *words.split()], folder).err == ""
