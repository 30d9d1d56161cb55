"""The help text, from the flag table."""

from __future__ import annotations

import textwrap

from .table import EXITS, OWN_OPTIONS, Option, by_group

WIDTH = 100
INTRODUCTION = """\
usage: nanoBragg -hkl FILE (-mat FILE | -cell a b c alpha beta gamma) [options]

Simulates the X-ray diffraction of a small crystal into every pixel of a detector, on an absolute scale (photons):
nanoBragg's command line, its files and its output, byte for byte. Options act in the order given; the last wins.

examples:
  nanoBragg -default_F 100 -cell 100 100 100 90 90 90 -N 5 -lambda 1 -distance 100 -detpixels 512
  nanoBragg -hkl 1a8o.hkl -cell 42 42 89 90 90 90 -misset 20 35 50 -N 20 -mosaic 0.4 -mosaic_domains 25 -fluence 3e24
  nanoBragg -hkl P1.hkl -mat auto.mat -lambda 0.98 -distance 250 -phi 0 -osc 0.5 -phisteps 10 -seed 1
"""


CLOSING = """\
files written: floatimage.bin, intimage.img, image.pgm, noiseimage.img, Fdump.bin (in this folder, unless named)
exit status:   0 when all is written, 9 for anything wrong with the command line or a file
standard output is the C program's run log; warnings and errors are on standard error
"""


def help_text() -> str:
    """All options, grouped, with units and defaults."""
    parts = [INTRODUCTION]
    for group, rows in by_group().items():
        parts.append(f"{group}:\n" + "".join(_entry(_left(row), _right(row)) for row in rows))
    own = [(f"{o.name} {o.metavar}".strip(), o.help) for o in OWN_OPTIONS]
    own += [(f"{', '.join(e.names)} {e.metavar}".strip(), e.help) for e in EXITS]
    parts.append("Only here (not in the C program):\n" + "".join(_entry(left, right) for left, right in own))
    parts.append(CLOSING)
    return "\n".join(parts)


def _left(row: Option) -> str:
    return f"{', '.join(row.spellings)} {metavar(row)}".strip()


def metavar(row: Option) -> str:
    """What stands after the option in the help text."""
    if row.kind in ("flag", "follower"):
        return ""
    if row.kind == "cell":
        return "a b c al be ga"
    if row.kind == "text":
        return "FILE"
    if row.kind == "pivot":
        return "beam|sample"
    letter = "N" if row.kind in ("integer", "seed", "pair", "trace") else "X"
    return " ".join([letter] * row.values)


def _right(row: Option) -> str:
    extras = [text for text in (row.unit and f"[{row.unit}]", row.default and f"(default: {row.default})") if text]
    return " ".join([row.help, *extras])


def _entry(left: str, right: str) -> str:
    indent = 32
    lines = textwrap.wrap(right, WIDTH - indent) or [""]
    head = f"  {left}".ljust(indent)
    if len(head) > indent or not head.endswith(" "):
        return f"  {left}\n" + "".join(" " * indent + line + "\n" for line in lines)
    return head + lines[0] + "\n" + "".join(" " * indent + line + "\n" for line in lines[1:])
