"""The page docs/options.md, from the flag table: `python -m nanobragg_py.options.reference > docs/options.md`."""

from __future__ import annotations

from .help_text import metavar
from .keywords import CHOICES, SWITCHES, keywords
from .table import EXITS, OPTIONS, OWN_OPTIONS, Exit, Option, OwnOption

INTRODUCTION = """\
<!-- Made from the flag table by: python -m nanobragg_py.options.reference > docs/options.md -->

# Options

Every option of the command line, with its unit, its default and the keyword that means the same in
[Python](python.md). `nanoBragg -h` prints the same list in short.

## How a command line is read

- Options act in the order given, and of two that set the same thing the last one wins. `-img` and `-mask` are the
  exception: they are read before everything else, and what their headers say is a default.
- An option is recognised wherever its name occurs in a word that begins with `-`: `-matrix` is `-mat`, and
  `-pixel_batch_size` is `-pixel`. Names marked ° must be the whole word. A word that is read as an option under
  another name than one of those below is reported on standard error.
- One word can be several options: `-twotheta_axis x y z` also sets `-twotheta` to x.
- Numbers are read as C reads them: as far as they go, and whole numbers cut off (`-N 10.9` is 10).
- A word that means nothing is left out, with a warning and the names that are nearest to it. One that begins with two
  hyphens ends the run with exit status 9: no option of the C program does.
- A value that is missing, or cannot be read at all, ends the run with exit status 9.
"""


# The order of the chapters, and what is said at their beginning.
GROUPS = {
    "Crystal": "Cell, orientation, size and shape. A cell is needed: `-cell`, `-mat`, or an `-hkl` file that has one.",
    "Structure factors": "What one cell scatters: `-hkl`, or `-default_F`, or the dump of an earlier run.",
    "Beam": "Wavelength, intensity, polarization, divergence and spectrum.",
    "Detector": "Where the pixels are. An option that gives a centre or a distance also chooses what the detector\n"
    "turns about (*pivot*). That counts with custom axes only, because each convention has a pivot of its own.",
    "Sampling": "How finely a run looks, and at which part of the image.",
    "Output and run": "Files, scales, seeds, and what is printed.",
}


HEAD = "| option | unit | default | what it does | Python |\n|---|---|---|---|---|\n"
OWN = """\
## Only here

Options that the C program does not have. They are recognised first, and as whole words only; `--preview=a.png` is the
same as `--preview a.png`.

| option | what it does | Python |
|---|---|---|
"""


OWN_KEYWORDS = {
    "threads": "threads",
    "sf_column": "column",
    "sf_symmetry": "symmetry",
    "sf_resolution_A": "sf_resolution_A",
    "mask_keeps": "mask_keeps",
}
SIDE_EFFECTS = {
    ("pivot", "sample"): "pivot: sample",
    ("pivot", "beam"): "pivot: beam",
    ("write_pgm", True): "turns the PGM on",
    ("write_noise", True): "turns the noise image on",
    ("nopolar", False): "undoes `-nopolar`",
}


def option_reference() -> str:
    """The page, as Markdown."""
    rows: dict[str, list[Option]] = {group: [] for group in GROUPS}
    for option in OPTIONS:
        rows.setdefault(option.group, []).append(option)
    parts = [INTRODUCTION]
    for group, options in rows.items():
        about = f"{GROUPS[group]}\n\n" if group in GROUPS else ""
        parts.append(f"## {group}\n\n{about}{HEAD}" + "".join(map(_row, options)))
    parts.append(OWN + "".join(map(_own_row, OWN_OPTIONS)) + "".join(map(_exit_row, EXITS)))
    return "\n".join(parts)


def _row(option: Option) -> str:
    cells = (_names(option), option.unit, option.default, _meaning(option), _python(option))
    return "| " + " | ".join(cells) + " |\n"


def _own_row(option: OwnOption) -> str:
    keyword = option.keyword or OWN_KEYWORDS.get(option.sets)
    shown = f"`{keyword}`" if keyword else ""
    value = option.metavar.replace("|", " or ")
    about = option.help.replace("|", " or ")
    return f"| `{_with_value(option.name, value)}` | {about} | {shown} |\n"


def _exit_row(option: Exit) -> str:
    first, *others = option.names
    names = [_with_value(first, option.metavar), *others]
    return f"| {', '.join(f'`{name}`' for name in names)} | {option.help} | |\n"


def _names(option: Option) -> str:
    """The first name with its values, then other spellings."""
    first, *others = option.spellings
    mark = "°" if option.whole else ""
    shown = [f"`{_with_value(first, metavar(option).replace('|', ' or '))}`{mark}", *(f"`{name}`" for name in others)]
    return "<br>".join(shown)


def _with_value(name: str, value: str) -> str:
    return f"{name} {value}".strip()


def _meaning(option: Option) -> str:
    """The help, and what else the option sets."""
    effects = [SIDE_EFFECTS[item] for item in option.also.items() if item in SIDE_EFFECTS]
    if option.kind == "flag":
        effects = []
    text = option.help.replace("docs/differences.md", "[differences](differences.md)")
    return "; ".join([text, *effects])


def _python(option: Option) -> str:
    """The keyword that does the same, if there is one."""
    if option.kind in ("flag", "follower"):
        said = [(name, value) for name, value in option.also.items() if name in CHOICES or name in SWITCHES]
        return ", ".join(f"`{name}={_literal(value)}`" for name, value in said)
    found = {name for name, keyword in keywords().items() if keyword.row is option}
    return ", ".join(f"`{name}`" for name in sorted(found, key=list(keywords()).index))


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    print(option_reference(), end="")
