"""Bad input of every kind: exit status 9, a message that says where and what was expected, and nothing written."""

from __future__ import annotations

import os
import re
import resource
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from forked import BASE, LIST, OUTPUTS, Result, run_forked

from nanobragg_py.base import files

CELL_LESS = BASE[BASE.index("-N") :]
BINARY = bytes(range(256)) * 4
MATRIX = "0.02 0 0\n0 0.03 0\n0 0 0.04\n"
SOURCES = "-1 0 0 1 1e-10\n"


def smv(header: str = "SIZE1=16;\nSIZE2=16;\n", pixels: int = 256, start: int = 512) -> bytes:
    """An SMV image with some lines in its header, all pixels 1."""
    text = f"{{\nHEADER_BYTES={start};\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n{header}}}\f"
    return text.encode().ljust(512) + b"\1\0" * pixels


def dump(ranges: str = "-1 1 -1 1 -1 1", numbers: int = 64) -> bytes:
    """A dump of structure factors, all 7."""
    return f"{ranges}\n\f".encode() + struct.pack(f"{numbers}d", *[7.0] * numbers)


@dataclass(frozen=True)
class Bad:
    """One bad input: files, words in place of or after the good ones, what the message must say (a pattern)."""

    name: str
    words: str
    says: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    whole: bool = False

    def line(self) -> list[str]:
        """The command line."""
        return self.words.split() if self.whole else ["-hkl", "P1.hkl", *BASE, *self.words.split()]


def listed(name: str, content: str | bytes, says: str) -> Bad:
    """A bad reflection list."""
    return Bad(f"hkl {name}", "-hkl bad.hkl", "^bad.hkl: " + says, {"bad.hkl": content})


def matrix(name: str, content: str | bytes, says: str) -> Bad:
    """A bad matrix."""
    words = " ".join(["-hkl P1.hkl -mat bad.mat", *CELL_LESS])
    return Bad(f"mat {name}", words, "^bad.mat: " + says, {"bad.mat": content}, whole=True)


def header(option: str, name: str, content: str | bytes, says: str) -> Bad:
    """A bad -img or -mask."""
    return Bad(f"{option} {name}", f"{option} bad.img", "^bad.img: " + says, {"bad.img": content})


def source(name: str, content: str | bytes, says: str) -> Bad:
    """A bad source file."""
    return Bad(f"source {name}", "-sourcefile bad.txt", "^bad.txt: " + says, {"bad.txt": content})


def dumped(name: str, content: str | bytes, says: str) -> Bad:
    """A bad dump, read because there is no -hkl."""
    words = " ".join([*BASE, "-dump bad.bin"])
    return Bad(f"dump {name}", words, "^bad.bin: " + says, {"bad.bin": content}, whole=True)


FILES = [
    listed("empty", "", r"-hkl names an empty file|not enough HKL indices"),
    listed("blank lines only", "\n \n\t\n", "not enough HKL indices: expected lines of h k l F"),
    listed("binary", BINARY, "-hkl expects a text file with h k l F in each line; this one is binary"),
    listed("of three columns", "1 2 3 4\n1 2 3\n", r"line 2: expected four numbers \(h k l F\), found 3 words"),
    listed("of five columns", "1 2 3 4 5\n", r"line 1: expected four numbers \(h k l F\), found 5 words"),
    listed("with a word", "1 2 3 4\n\n1 2 x 5\n", r"line 3: expected .* found 'x'"),
    listed("with a comment", "# h k l\n1 2 3 4\n", r"line 1: expected .* found "),
    listed("with nan", "1 2 3 nan\n", r"line 1: expected four numbers .* found 'nan'"),
    listed("with inf", "1 2 3 1e999\n", r"line 1: expected four numbers .* found '1e999'"),
    listed("with fractions", "1 2 3 4\n1.5 2 3 4\n", r"line 2: expected whole numbers h k l .* found '1.5 2 3'"),
    listed("with hexadecimals", "1 0X1 3 4\n", r"line 1: expected whole numbers h k l .* found '1 0X1 3'"),
    listed("with h = 10^9", "0 0 0 1\n1000000000 0 0 1\n", r"indices h 0 to 1000000000.* need a grid of 29.8 GiB"),
    listed("with h = 10^10", "0 0 0 1\n10000000000 0 0 1\n", r"line 2: expected whole numbers h k l below 2\^30"),
    listed("with a terminal's codes", "1 2 \x1b[2J 4\n", r"line 1: expected .* found '\\x1b\[2J'"),
    listed("with a long word", "1 2 " + "x" * 5000 + " 4\n", r"line 1: expected .* found 'x{60}\.\.\.'$"),
    matrix("empty", "", "-mat names an empty file"),
    matrix("binary", BINARY, "-mat expects a text file with nine numbers; this one is binary"),
    matrix("of eight numbers", "1 2 3 4\n5 6 7 8\n", "-mat expects nine numbers .* found 8"),
    matrix("with a word", "1 0 0\n0 one 0\n0 0 1\n", "line 2: expected a number of the matrix, got 'one'"),
    matrix("with nan", "1 0 0\n0 1 0\n0 0 nan\n", "line 3: expected a number of the matrix, got 'nan'"),
    matrix("singular", "1 2 3\n2 4 6\n0 0 1\n", "the three reciprocal vectors lie in a plane: expected a matrix"),
    matrix("of zeros", "0 0 0\n" * 3, "the three reciprocal vectors lie in a plane"),
    matrix("too large", "1e300 0 0\n0 1e300 0\n0 0 1e300\n", "the three reciprocal vectors lie in a plane|expected"),
    *(
        bad
        for option in ("-img", "-mask")
        for bad in (
            header(option, "empty", "", f"{option} names an empty file"),
            header(option, "binary", BINARY, f"{option} expects an SMV .* image"),
            header(option, "text", "hello\n", f"{option} expects an SMV .* image"),
            header(option, "without size", smv(""), "header says SIZE1=0, SIZE2=0; expected positive numbers"),
            header(option, "negative", smv("SIZE1=-1;\nSIZE2=-1;\n"), "header says SIZE1=-1, SIZE2=-1; expected"),
            header(option, "with nan", smv("SIZE1=nan;\nSIZE2=16;\n"), "header says SIZE1=0"),
            header(option, "with inf", smv("SIZE1=inf;\nSIZE2=1e999;\n"), "header says SIZE1=0"),
            header(option, "truncated", smv(pixels=255), "header promises 16 x 16 .* 1024 bytes in all; .* 1022"),
            header(option, "of 10^9 pixels", smv("SIZE1=50000;\nSIZE2=20000;\n"), "header .* 2000000512 bytes"),
            header(option, "header beyond end", smv(start=4096), "header says HEADER_BYTES=4096, the file has 1024"),
        )
    ),
    Bad(
        "mask of another size", "-mask bad.img -detpixels 20", "^bad.img: the mask has 16 x 16 pixels; .* 20 x 20",
        {"bad.img": smv()},
    ),
    Bad("header with negative distance", "-hkl P1.hkl -cell 30 -img bad.img",
        "^bad.img: 'DISTANCE=-100': expected a size above 0; -distance",
        {"bad.img": smv("SIZE1=16;\nSIZE2=16;\nDISTANCE=-100;\n")}, whole=True),
    source("empty", "", "-sourcefile names an empty file"),
    source("blank", "\n\n", "-sourcefile holds no data"),
    source("binary", BINARY, "-sourcefile expects a text file of numbers; this one is binary"),
    source("with a word", SOURCES + "-1 zero 0 1 1e-10\n", "line 2: expected up to 5 numbers, found 'zero'"),
    source("with nan", SOURCES + "-1 0 0 1 nan\n", "line 2: expected up to 5 numbers, found 'nan'"),
    source("with inf", "inf 0 0 1 1e-10\n", "line 1: expected up to 5 numbers, found 'inf'"),
    source("at the sample", SOURCES + "0 0 0 1 1e-10\n", "source 2: expected a position other than the sample's"),
    source("without wavelength", "-1 0 0 1 0\n", "source 1: .* a wavelength above 0"),
    source("without a last newline, short", SOURCES + "-1 0 0", "source 2: .* a wavelength above 0"),
    source("with a Windows line end, short", "-1 0 0 1\r\n", "source 1: .* a wavelength above 0"),
    source("blank but for a Windows line end", SOURCES + "\r\n", "source 2: expected a position other than"),
    source("with a line of 10 kB", "-1 0 0 1 1e-10" + " " * 10240 + "\n", "line 1: longer than 10239 bytes"),
    source("of 10^7 lines", "1\n" * 10**7, "-sourcefile has 10000000 lines, which would need 9.31 GiB of memory"),
    Bad("stol with a word", "-stol bad.txt", "^bad.txt: line 2: expected up to 2 numbers", {"bad.txt": "1 2\n3 x\n"}),
    dumped("empty", "", "-dump names an empty file"),
    dumped("of text", "hello\n", "-dump expects a file that starts with six whole numbers"),
    dumped("binary", BINARY, "-dump expects a file that starts with six whole numbers"),
    dumped("truncated", dump(numbers=63), "the dump is truncated: expected 512 bytes .* found 504"),
    dumped("descending", dump("1 -1 0 0 0 0"), "-dump says h 1 to -1.*: expected ascending ranges"),
    dumped("of 10^9", dump("0 999 0 999 0 999"), "the dump is truncated: expected 8024024008 bytes"),
]  # fmt: skip

MISSING = [
    Bad("missing hkl", "-hkl none.hkl", "^none.hkl: -hkl cannot be read: no such file"),
    Bad("missing mat", "-mat none.mat", "^none.mat: -mat cannot be read: no such file"),
    Bad("missing img", "-img none.img", "^none.img: -img cannot be read: no such file"),
    Bad("missing mask", "-mask none.img", "^none.img: -mask cannot be read: no such file"),
    Bad("missing sources", "-sourcefile none.txt", "^none.txt: -sourcefile cannot be read: no such file"),
    Bad("missing stol", "-stol none.txt", "^none.txt: -stol cannot be read: no such file"),
    Bad("folder as hkl", "-hkl .", r"^\.: -hkl cannot be read: is a directory"),
    Bad("folder as mat", "-mat .", r"^\.: -mat cannot be read: is a directory"),
    Bad("folder as mask", "-mask .", r"^\.: -mask cannot be read: is a directory"),
    Bad("no output folder", "-floatfile no/where.bin", "^no/where.bin: -floatfile .*: the folder no does not exist"),
    Bad("no output folder for integers", "-intfile no/a.img", "^no/a.img: -intfile .*: the folder no does not exist"),
    Bad("no output folder for grey", "-pgmfile no/a.pgm", "^no/a.pgm: -pgmfile .*: the folder no does not exist"),
    Bad("no output folder for noise", "-noisefile no/n.img", "^no/n.img: -noisefile .*: the folder no does not exist"),
    Bad("output is a folder", "-intfile .", r"^\.: -intfile cannot be written: it is a folder"),
    Bad("file as a folder", "-intfile P1.hkl/a", "^P1.hkl/a: -intfile .*: the folder P1.hkl does not exist"),
    Bad("device full", "-floatfile /dev/full", "^/dev/full: -floatfile cannot be written: no space left on device"),
    Bad("device full, integers", "-intfile /dev/full", "^/dev/full: -intfile cannot be written: no space left"),
    Bad("device full, grey", "-pgmfile /dev/full", "^/dev/full: -pgmfile cannot be written: no space left"),
    Bad("device full, noise", "-noisefile /dev/full", "^/dev/full: -noisefile cannot be written: no space left"),
]

VALUES = [
    Bad("value missing", "-lambda", r"option -lambda needs a value \(Å\), but the line ends"),
    Bad("text value missing", "-floatfile", "option -floatfile needs a value, but the line ends"),
    Bad("vector cut short", "-beam_vector 1 0", "option -beam_vector needs 3 values, but the line ends"),
    Bad("roi cut short", "-roi 1 2 3", r"option -roi needs 4 values \(px\), but the line ends"),
    Bad("misset cut short", "-misset 1 2", "option -misset needs three angles"),
    Bad("cell without numbers", "-cell", "option -cell needs a value"),
    Bad("threads without number", "--threads", "option --threads needs a value"),
    Bad("threads by name", "--threads all", "option --threads: expected a positive whole number, got 'all'"),
    Bad("no threads", "--threads 0", "option --threads: expected a positive whole number, got '0'"),
    Bad("word as wavelength", "-lambda abc", r"option -lambda: expected a number \(Å\), got 'abc'"),
    Bad("word as count", "-oversample many", "option -oversample: expected a whole number, got 'many'"),
    Bad("nan as distance", "-distance nan", r"option -distance: expected a finite number \(mm\), got 'nan'"),
    Bad("inf as angle", "-twotheta inf", r"option -twotheta: expected a finite number \(deg\), got 'inf'"),
    Bad("too large", "-phi 0x1p99999", r"option -phi: expected a finite number \(deg\), got '0x1p99999'"),
    Bad("digits of another script", "-distance \u0663", "option -distance: expected a number"),
    Bad("vector of nan", "-spindle_axis nan 0 0", "option -spindle_axis: expected a finite number, got 'nan'"),
    Bad("zero pixel", "-pixel 0", "-pixel: expected a size above 0 mm, got 0"),
    Bad("negative pixel", "-pixel -0.1", "-pixel: expected a size above 0 mm, got -0.1"),
    Bad("zero distance", "-distance 0", "-distance: expected a size above 0 mm, got 0"),
    Bad("negative distance", "-distance -5", "-distance: expected a size above 0 mm, got -5"),
    Bad("negative near distance", "-close_distance -5", "-close_distance: expected a size above 0 mm, got -5"),
    Bad("zero wavelength", "-lambda 0", "-lambda: expected a wavelength above 0 Å, got 0"),
    Bad("negative wavelength", "-lambda -1", "-lambda: expected a wavelength above 0 Å, got -1"),
    Bad("zero energy", "-energy 0", "-lambda: expected a wavelength"),
    Bad("negative energy", "-energy -12000", "-lambda: expected a wavelength above 0 Å, got -1.03"),
    Bad("negative detector", "-detpixels -5", "-detpixels: expected a positive number of pixels, got -5"),
    Bad("zero detector", "-detpixels 0 -detsize 0", "-detsize: expected a size above 0 mm, got 0"),
    Bad(
        "detector below a pixel",
        "-detpixels 0 -detsize 0.1 -pixel 1",
        "the detector has 0 x 0 pixels: expected at least",
    ),
    Bad("detector beyond memory", "-detpixels 2000000", "2000000 x 2000000 pixels would need 1.49e[+]04 GiB of memory"),
    Bad("pixels beyond counting", "-detpixels 0 -pixel 1e-9", "pixels would need .* GiB of memory"),
    Bad("zero fast axis", "-fdet_vector 0 0 0", "-fdet_vector: expected a direction, got 0 0 0"),
    Bad("endless beam", "-beam_vector 1e308 1e308 0", "-beam_vector: expected a direction, got 1e[+]308 1e[+]308 0"),
    Bad("endless axis", "-twotheta_axis 1e200 0 0 -twotheta 5", "-twotheta_axis 1e[+]200 0 0: expected a direction of"),
    Bad("parallel axes", "-fdet_vector 1 0 0 -sdet_vector 1 0 0 -odet_vector 2 0 0", "are parallel: expected two"),
    Bad("impossible cell", "-cell 30 40 50 90 90 200", "-cell 30 40 50 90 90 200: no such cell; expected edges"),
    Bad("flat cell", "-cell 30 40 50 60 60 120", "-cell 30 40 50 60 60 120: no such cell; expected"),
    Bad("endless cell", "-cell 1e308", r"-cell 1e\+308 .*: expected edges between 1e-30 and 1e\+30 Å"),
    Bad("cell without size", "-cell 5e-324 40 50", "-cell 4.94066e-324 40 50: expected edges between"),
    Bad("endless sweep", "-osc 1 -phistep 1e308 -phisteps 200", "the spindle's last step is at inf degrees"),
    Bad("spectrum to nothing", "-dispersion 200 -dispsteps 2", "-dispersion 200 % has wavelengths from 0 Å on"),
    Bad("endless crystal", "-samplesize 1e308", "-samplesize: a crystal of .* more unit cells than can be counted"),
    Bad(
        "too many sources", "-hdivrange 1 -hdivsteps 10000 -vdivrange 1 -vdivsteps 1001", "10010000 sources.* expected"
    ),
    Bad(
        "sources beyond memory",
        "-dispersion 1 -dispsteps 1000000000",
        "1000000000 sources would need 931 GiB of memory",
    ),
    Bad("phi beyond memory", "-phisteps 2147483647 -osc 1", "2147483647 spindle steps would need .* GiB of memory"),
    Bad("layers beyond memory", "-detector_thick 9 -thicksteps 999999999", "999999999 layers of the sensor would need"),
    Bad("domains beyond memory", "-mosaic 1 -mosaic_dom 999999999", "999999999 mosaic domains would need 67.1 GiB"),
    Bad("too many steps", "-oversample 100000", r"1e\+10 steps in each pixel: expected fewer"),
    Bad(
        "oversampling without end",
        "-oversample 0 -N 20000000",
        "oversampling of .* would be needed: give -oversample",
    ),
    Bad("no beam size", "-flux 1e12 -beamsize 0", "-beamsize 0 with -flux: .* expected a beam size above 0 mm"),
    Bad("trace outside", "-trace_pixel 16 0", "-trace_pixel 16 0: expected slow 0 to 15, fast 0 to 15"),
    Bad("trace outside roi", "-trace_pixel 9 9 -roi 0 5 0 5", "-trace_pixel 9 9: the pixel is outside -roi or masked"),
]


def check_refused(result: Result, says: str, before: dict[str, bytes]) -> None:
    """The message, the exit status, no traceback; files are as they were, and there is none more.

    A dump may be new, if there was none: of a run that fails when it has begun to write.
    """
    assert result.status == 9, result.err
    assert "Traceback" not in result.err
    assert re.search(says, result.complaint), result.err
    after = {name: data for name, data in result.files.items() if name != "Fdump.bin" or name in before}
    assert after == before


@pytest.mark.parametrize("bad", [*FILES, *MISSING, *VALUES], ids=lambda bad: bad.name)
def test_refused(bad: Bad, tmp_path: Path) -> None:
    """A bad input leaves old files alone, the dump of an earlier run too, makes no new ones, and is explained."""
    before = {"P1.hkl": LIST.encode(), "Fdump.bin": dump(), **dict.fromkeys(OUTPUTS, b"old")}
    before |= {name: data if isinstance(data, bytes) else data.encode() for name, data in bad.files.items()}
    for name, data in before.items():
        (tmp_path / name).write_bytes(data)
    written_before = bad.name.startswith("device full, ")
    result = run_forked(bad.line(), tmp_path)
    if bad.name.startswith("device full"):
        assert before.pop("Fdump.bin") != result.files["Fdump.bin"]
    if written_before:
        # Files finished before the one that fails are whole, and stay.
        assert len(result.files["floatimage.bin"]) == 4 * 256
        before = {name: result.files[name] if name in OUTPUTS else data for name, data in before.items()}
    check_refused(result, bad.says, before)


def become_nobody() -> None:
    """In a child: give up root's rights, with which every file can be read and written."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def good_folder(folder: Path, mode: int = 0o755) -> Path:
    """A folder with a reflection list and old output files."""
    for name, data in {"P1.hkl": LIST, **dict.fromkeys(OUTPUTS, "old")}.items():
        (folder / name).write_text(data)
        (folder / name).chmod(0o666)
    folder.chmod(mode)
    return folder


@pytest.mark.parametrize("option", ["-hkl", "-mat", "-img", "-mask", "-sourcefile", "-stol"])
def test_unreadable_file(option: str, tmp_path: Path) -> None:
    good_folder(tmp_path, 0o777)
    secret = tmp_path / "secret"
    secret.write_text("1 2 3 4\n")
    secret.chmod(0)
    result = run_forked(["-hkl", "P1.hkl", *BASE, option, "secret"], tmp_path, become_nobody, keep=False)
    assert result.status == 9
    assert result.complaint.startswith(f"secret: {option} cannot be read: permission denied")


@pytest.mark.parametrize("option", ["-floatfile", "-intfile", "-pgmfile", "-noisefile"])
def test_folder_that_cannot_be_written(option: str, tmp_path: Path) -> None:
    good_folder(tmp_path, 0o555)
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    others = [word for other in FOUR if other != option for word in (other, "/dev/null")]
    words = ["-hkl", "P1.hkl", *BASE, option, "out/image", *others]
    result = run_forked(words, tmp_path, become_nobody, keep=False)
    assert result.status == 9
    says = f"out/image: {option} cannot be written: the folder out is not writable"
    assert result.complaint == says
    assert not list(out.iterdir())
    tmp_path.chmod(0o755)


def test_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    good_folder(tmp_path, 0o777)
    (tmp_path / "image.pgm").chmod(0o444)
    result = run_forked(["-hkl", "P1.hkl", *BASE], tmp_path, become_nobody)
    assert (result.status, result.complaint) == (9, "image.pgm: -pgmfile cannot be written: the file is read-only")
    assert [result.files[name] for name in OUTPUTS] == [b"old"] * 4


FOUR = ("-floatfile", "-intfile", "-pgmfile", "-noisefile")


def limited(size: int):
    """For a child: no file may grow beyond `size` bytes, as on a disk that is nearly full."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return limit


@pytest.mark.parametrize("option", FOUR)
@pytest.mark.parametrize("size", [0, 1, 100, 250])
def test_disk_full_at_each_file(option: str, size: int, tmp_path: Path) -> None:
    """The file that does not fit stays the old one, and nothing half-written is left beside it."""
    good_folder(tmp_path)
    others = [word for other in FOUR if other != option for word in (other, "/dev/null")]
    words = [*BASE, "-default_F", "10", "-pgmscale", "1", option, "image", *others]
    (tmp_path / "image").write_bytes(b"old")
    before = {name: (tmp_path / name).read_bytes() for name in ("P1.hkl", "image", *OUTPUTS)}
    result = run_forked(words, tmp_path, limited(size))
    check_refused(result, f"^image: {option} cannot be written: (file too large|no space left)", before)


def test_disk_full_for_the_dump_is_a_warning(tmp_path: Path) -> None:
    """As in the C program, a dump that cannot be written stops nothing."""
    result = run_forked(["-hkl", "P1.hkl", *BASE], good_folder(tmp_path), limited(2000))
    assert result.status == 0, result.err
    assert "Fdump.bin: -dump cannot be written: file too large" in result.warnings
    # The C program opens it, says so, and does not look whether what it writes arrives.
    assert "writing dump file for next time: Fdump.bin\n" in result.out
    assert sorted(result.files) == sorted(["P1.hkl", *OUTPUTS])


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")
def test_device_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ENDLESS", 2**20)
    result = run_forked(["-hkl", "P1.hkl", *BASE, "-mat", "/dev/zero"], good_folder(tmp_path))
    assert result.status == 9
    assert result.complaint == "/dev/zero: -mat cannot be read: it does not end within 1 MiB"


# --- what is ignored, with a warning ----


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("-hdiv 1", "unknown option -hdiv is ignored; did you mean -hdivrange or -hdivstep or -hdivsteps?"),
        ("-vdiv 1", "unknown option -vdiv is ignored; did you mean -vdivrange or"),
        ("-preview a.png", "unknown option -preview is ignored; did you mean --preview?"),
        ("-dispstep 2", "unknown option -dispstep is ignored; did you mean -dispsteps?"),
        ("-floatfiel a.bin", "unknown option -floatfiel is ignored; did you mean -floatfile?"),
        ("-zzzzzz", "unknown option -zzzzzz is ignored"),
        ("stray", "stray word 'stray' is ignored"),
        ("-distance 50mm", "-distance 50mm is read as 50"),
        ("-oversample 1.9", "-oversample 1.9 is read as 1"),
        ("--distance 50", "--distance is read as -distance (as in the C program)"),
        ("-pivot centre", "-pivot centre is ignored: expected 'beam' or 'sample'"),
        ("-curved_det", "-curved_det as the last word is ignored (as in the C program)"),
        ("\x1b[2J", r"stray word '\x1b[2J' is ignored"),
    ],
)
def test_ignored_with_a_warning(words: str, says: str, tmp_path: Path) -> None:
    """The run goes on as the C program's would."""
    line = ["-hkl", "P1.hkl", *BASE, "-nonoise", *words.split(" ")]
    result = run_forked(line, good_folder(tmp_path))
    assert result.status == 0, result.err
    assert any(alternative in warning for alternative in says.split("|") for warning in result.warnings), result.err


def test_good_line_is_silent(tmp_path: Path) -> None:
    """Nothing on standard error, and nothing but the files asked for."""
    result = run_forked(["-hkl", "P1.hkl", *BASE], good_folder(tmp_path))
    assert (result.status, result.err) == (0, "")
    assert sorted(result.files) == sorted(["Fdump.bin", "P1.hkl", *OUTPUTS])
    assert {name: len(result.files[name]) for name in OUTPUTS} == dict(
        zip(OUTPUTS, (1024, 1024, len(result.files["image.pgm"]), 1024), strict=True)
    )


# --- as real processes ----


def program(words: list[str], folder: Path, shell_end: str = "") -> subprocess.CompletedProcess[bytes]:
    """Our program as a user starts it, with redirections if any."""
    command = [sys.executable, "-m", "nanobragg_py", *words]
    if shell_end:
        command = ["sh", "-c", f'exec "$@" {shell_end}', "sh", *command]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120)


def test_process_without_arguments_shows_usage(tmp_path: Path) -> None:
    done = program([], tmp_path)
    assert done.returncode == 9
    assert b"usage" in done.stdout.lower()
    assert not list(tmp_path.iterdir())


def test_process_with_bad_input(tmp_path: Path) -> None:
    done = program(["-hkl", "none.hkl", *BASE], tmp_path)
    assert done.returncode == 9
    assert done.stderr.startswith(b"nanoBragg: error: none.hkl: -hkl cannot be read: no such file or directory")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_process_whose_output_has_no_room(tmp_path: Path) -> None:
    done = program(["-hkl", "P1.hkl", *BASE], good_folder(tmp_path), ">/dev/full")
    assert done.returncode == 9
    assert done.stderr == b"nanoBragg: error: standard output: cannot be used: No space left on device\n"


def test_process_without_standard_streams(tmp_path: Path) -> None:
    """With nowhere to write the log, the images are written all the same, and no log gets into them."""
    done = program(["-hkl", "P1.hkl", *BASE], good_folder(tmp_path), "<&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    expected = run_forked(["-hkl", "P1.hkl", *BASE], tmp_path).files
    assert (tmp_path / "floatimage.bin").read_bytes() == expected["floatimage.bin"]


def test_process_whose_reader_goes_away(tmp_path: Path) -> None:
    """The exit status is that of a program that a closed pipe has stopped; nothing is said."""
    words = ["-hkl", "P1.hkl", *BASE, "-printout"]
    command = [sys.executable, "-m", "nanobragg_py", *words]
    # Once with a reader: the first run of all says that it compiles.
    assert run_forked(words, good_folder(tmp_path)).status == 0
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_names_of_files_are_printed_as_given(tmp_path: Path) -> None:
    """A name that is no text in any encoding is written to the log byte for byte."""
    name = os.fsdecode(b"\xff\xe9.bin")
    done = program(["-hkl", "P1.hkl", *BASE, "-floatfile", name], good_folder(tmp_path))
    assert done.returncode == 0, done.stderr
    assert b"writing \xff\xe9.bin as 256 4-byte floats\n" in done.stdout
    assert os.path.getsize(os.path.join(os.fsencode(tmp_path), b"\xff\xe9.bin")) == 1024
