"""The manual page docs/nanoBragg.1, from the flag table: `make man` writes it, `nanoBragg --man` prints it."""

from __future__ import annotations

from .help_text import metavar
from .table import EXITS, OWN_OPTIONS, Option, by_group

# What is said at the beginning of a group.
ABOUT = {
    "Crystal": "A cell is needed: -cell, -mat, or an -hkl file that has one.",
    "Structure factors": "What one cell scatters: -hkl, or -default_F, or the dump of an earlier run.",
}
OPENING = (
    "Simulates the X-ray diffraction of a small crystal into every pixel of a detector, on an absolute scale "
    "(photons): nanoBragg's command line, its files and its output, byte for byte. Options act in the order given, and "
    "of two that set the same thing the last one wins. An option is recognised wherever its name occurs in a word that "
    "begins with a hyphen; options with two hyphens must be whole words."
)
CLOSING = (
    ("FILES", (
        "floatimage.bin, intimage.img, image.pgm, noiseimage.img, and Fdump.bin where there is an -hkl, are written "
        "into the current folder unless they are named. Fdump.bin is read where there is no -hkl.",
    )),
    ("EXIT STATUS", (
        "0 when all is written; 9 for anything wrong with the command line or a file, with a line on standard error; "
        "128 and the signal's number when interrupted.",
    )),
    ("ENVIRONMENT", (
        "NANOBRAGG_CACHE: folder of the compiled kernels (default: nanobragg_py in $XDG_CACHE_HOME or ~/.cache).",
        "NANOBRAGG_PROCESSOR: LLVM's name of a lesser processor to compile for.",
    )),
    ("NOTES", (
        "Standard output is the C program's run log; warnings, notes and errors are on standard error.",
        "The C program nanoBragg is by James Holton and Ken Frankel, https://github.com/bl831/nanoBragg.",
    )),
)  # fmt: skip
EXAMPLES = (
    "nanoBragg -default_F 100 -cell 100 100 100 90 90 90 -N 5 -lambda 1 -distance 100 -detpixels 512",
    "nanoBragg -hkl P1.hkl -mat auto.mat -lambda 0.98 -distance 250 -phi 0 -osc 0.5 -phisteps 10 -seed 1 "
    "--preview sweep.png",
)


def manual_page(version: str) -> str:
    """The page, as troff for man(7)."""
    parts = [
        f'.TH NANOBRAGG 1 "" "nanobragg_py {version}" "User Commands"',
        ".SH NAME",
        r"nanoBragg \- diffraction images of small crystals",
        ".SH SYNOPSIS",
        rf".B nanoBragg\fR {_text('-hkl')} \fIFILE\fR ({_text('-mat')} \fIFILE\fR | "
        rf"{_text('-cell')} \fIa b c alpha beta gamma\fR) [options]",
        ".SH DESCRIPTION",
        _text(OPENING),
        ".SH OPTIONS",
    ]
    for group, rows in by_group().items():
        parts.append(f".SS {_text(group)}")
        if group in ABOUT:
            parts.append(_text(ABOUT[group]))
        parts += [_entry(row.spellings, metavar(row), _meaning(row)) for row in rows]
    parts.append(".SS Only here (not in the C program)")
    parts += [_entry([own.name], own.metavar, own.help) for own in OWN_OPTIONS]
    parts += [_entry(list(way.names), way.metavar, way.help) for way in EXITS]
    for heading, paragraphs in CLOSING:
        parts += [f".SH {heading}", "\n.PP\n".join(_text(paragraph) for paragraph in paragraphs)]
    parts += [".SH EXAMPLES", *(f".PP\n.nf\n{_text(example)}\n.fi" for example in EXAMPLES)]
    parts += [
        ".SH SEE ALSO",
        "nb-batch, nb-hkl, nb-compare, nb-trace-diff, nb-bench (each explains itself with --help)",
    ]
    return "\n".join(parts) + "\n"


def _meaning(row: Option) -> str:
    extras = [text for text in (row.unit and f"[{row.unit}]", row.default and f"(default: {row.default})") if text]
    return " ".join([row.help, *extras])


def _entry(names: list[str], value: str, meaning: str) -> str:
    """One option: its names and value, and what it does."""
    shown = ", ".join(rf"\fB{_text(name)}\fR" for name in names)
    return f".TP\n{shown}" + (rf" \fI{_text(value)}\fR" if value else "") + f"\n{_text(meaning)}"


def _text(text: str) -> str:
    """Text that troff prints as it is: hyphens as such, and no line that looks like a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
