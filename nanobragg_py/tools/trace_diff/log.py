"""Read the log of a traced pixel: values with their names, the pixels, and what the log says of its run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ...base.errors import InputError

NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
PLAIN_NUMBER = re.compile(NUMBER, re.IGNORECASE)
# In prose, digits that belong to a name (a0) or to a formula (1/V_star) are no value.
NUMBER_IN_PROSE = re.compile(rf"(?<![\w.]){NUMBER}(?![\w./])", re.IGNORECASE)
KEYED = re.compile(rf"(\w+):({NUMBER})(?:\s+|$)", re.IGNORECASE)
LABELLED = re.compile(r"^([^\s:=]+):(.*)$")
KNOWN_NAME = re.compile(r"^\s?(?:pix0_vector|hkl_frac|F_latt|F_cell|I_pixel_final|fluence_photons|detector_conv)")
PIXEL = re.compile(r"^TRACE_CONFIG:.*spixel=(-?\d+),\s*fpixel=(-?\d+)")
DETECTOR_LINE = re.compile(r"^(DETECTOR_\w+)\s+(.*)$")
DUMP = re.compile(r"^reading Fs from (.*)$")
# Printed for pixel 512,512 whatever pixel is traced, and not by every program.
FIXED_PIXEL_SECTIONS = ("Phi rotation", "Mosaic rotation")
# Lines of the run's ordinary output that tell its configuration.
CONTEXT = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("pivot", r"pivoting detector around (.+)"),
        ("interpolation", r"(auto-selected .*interpolation)"),
        ("reflections", r"(\d+ initialized hkls.*)"),
        ("crystal", r"(\S* xtal: .*cells)"),
        ("wavelength", r"wave=(.*)"),
        ("polarization factor", r"Kahn polarization factor: (.*)"),
        ("fluence", r"incident fluence: (.*)"),
        ("detector", r"(distance=.*)"),
        ("sensor", r"sensor is (.*)"),
        ("region of interest", r"roi: (.*)"),
        ("divergence steps", r"(\d+) divergence steps"),
        ("sources", r"(\d+) sources"),
        ("mosaic", r"(\d+ mosaic domains over .*)"),
        ("phi", r"(\d+ phi steps from .*)"),
        ("oversampling", r"(.*) pixel oversample steps"),
        ("water", r"water droplet size: (.*)"),
    )
)


@dataclass(frozen=True)
class Value:
    """What a trace line says: numbers with a label each, or text only.

    Numbers of one group are components of one vector or matrix; `words` is the text around the numbers.
    """

    text: str
    numbers: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class Line:
    """One traced value: pixel (slow, fast; None before the first), name, 1-based occurrence, value."""

    pixel: tuple[int, int] | None
    name: str
    occurrence: int
    value: Value
    number: int  # of the line in the file, from 1
    fixed_pixel: bool = False


@dataclass
class TraceLog:
    """A log in file order, with what it says of the run beside the trace."""

    path: str
    content: bytes
    lines: list[Line] = field(default_factory=list)
    pixels: list[tuple[int, int]] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    dump_file: str | None = None
    banner: str | None = None
    command: str | None = None


def parse_value(text: str) -> Value:
    """Value of `x`, `x y z`, `[a b c; d e f; g h i]` or `name:x name:y`; anything else is text."""
    text = text.strip()
    keyed = KEYED.findall(text)
    if keyed and not KEYED.sub("", text).strip():
        numbers = tuple(float(number) for _, number in keyed)
        return Value(text, numbers, tuple(key for key, _ in keyed), tuple(range(len(keyed))))
    tokens = text.strip("[]").replace(";", " ").replace(",", " ").split()
    if not tokens or not all(PLAIN_NUMBER.fullmatch(token) for token in tokens):
        return Value(text)
    return Value(text, tuple(map(float, tokens)), component_labels(len(tokens)), (0,) * len(tokens))


def component_labels(count: int) -> tuple[str, ...]:
    """Names of the components: none for a scalar, x y z, or row,column of a 3x3 matrix."""
    if count == 1:
        return ("",)
    if count == 3:
        return ("x", "y", "z")
    if count == 9:
        return tuple(f"{row},{column}" for row in "123" for column in "123")
    return tuple(str(i + 1) for i in range(count))


def parse_prose(text: str) -> tuple[str, Value]:
    """Name and value of a line such as `a_star = [x, y, z] |a_star| = v` or `V_cell = u, V_star = v`."""
    found = list(NUMBER_IN_PROSE.finditer(text))
    if not found:
        name, _, rest = text.partition("=")
        return name.strip(), Value(rest.strip() or text.strip(), words=text)
    in_brackets = [text.rfind("[", 0, m.start()) > text.rfind("]", 0, m.start()) for m in found]
    components = iter(component_labels(sum(in_brackets)))
    labels, groups = [], []
    for i, (match, inside) in enumerate(zip(found, in_brackets, strict=True)):
        said = re.search(r"(\S+) = $", text[: match.start()])
        labels.append(next(components) if inside else said.group(1) if said and i else "")
        groups.append(-1 if inside else i)
    name = text[: found[0].start()].rstrip(" =[")
    shown = text[len(name) :].lstrip(" =")
    numbers = tuple(float(match.group()) for match in found)
    return name, Value(shown, numbers, tuple(labels), tuple(groups), NUMBER_IN_PROSE.sub("#", text))


class _Reader:
    """The state while a log is read: headings of the cell construction, occurrences, the pixel."""

    def __init__(self, log: TraceLog, labels: set[str]) -> None:
        self.log, self.labels = log, labels
        self.headings: list[tuple[int, str]] = []
        self.counts: dict[tuple[tuple[int, int] | None, str], int] = {}
        self.pixel: tuple[int, int] | None = None

    def add(self, number: int, name: str, value: Value) -> None:
        """Keep a value under its name, with its occurrence."""
        key = (self.pixel, name)
        self.counts[key] = self.counts.get(key, 0) + 1
        fixed = bool(self.headings) and self.headings[0][1].startswith(FIXED_PIXEL_SECTIONS)
        self.log.lines.append(Line(self.pixel, name, self.counts[key], value, number, fixed))

    def read(self, number: int, line: str) -> None:
        """Read a line: where a pixel begins, a traced value, or something of the ordinary output."""
        if pixel := PIXEL.match(line):
            self.pixel = (int(pixel.group(1)), int(pixel.group(2)))
            self.log.pixels.append(self.pixel)
        elif detector := DETECTOR_LINE.match(line):
            self.headings.clear()
            self.add(number, detector.group(1), parse_value(detector.group(2)))
        elif (labelled := LABELLED.match(line)) and labelled.group(1) in self.labels:
            self.read_labelled(number, labelled.group(1), labelled.group(2))
        else:
            read_context(self.log, line.strip())

    def read_labelled(self, number: int, label: str, rest: str) -> None:
        """Read what follows a label: `name=value`, ` name value`, or a line of the cell construction."""
        assignment = re.match(r"^(\w+)=(.*)$", rest)
        spaced = re.match(r"^ (\w+) (\S.*)$", rest)
        spaced_value = parse_value(spaced.group(2)) if spaced else None
        if assignment:
            self.headings.clear()
            self.add(number, assignment.group(1), parse_value(assignment.group(2)))
        elif spaced and spaced_value and (spaced_value.numbers or label != "TRACE"):
            self.headings.clear()
            self.add(number, spaced.group(1), spaced_value)
        else:
            self.read_construction(number, rest)

    def read_construction(self, number: int, rest: str) -> None:
        """A heading or a line of the cell construction; the indentation says what belongs to what."""
        text = rest.strip()
        indent = len(rest) - len(rest.lstrip())
        while self.headings and self.headings[-1][0] >= indent:
            self.headings.pop()
        if text.endswith(":"):
            self.headings.append((indent, text[:-1]))
        elif text:
            name, value = parse_prose(text)
            self.add(number, f"{self.headings[-1][1]} > {name}" if self.headings else name, value)


def read_context(log: TraceLog, line: str) -> None:
    """Keep what an ordinary line says of the configuration, the dump file, the program or the command."""
    if dump := DUMP.match(line):
        log.dump_file = dump.group(1)
    elif line.startswith("$ "):
        log.command = log.command or line[2:]
    elif log.banner is None and re.search("simulator", line, re.IGNORECASE):
        log.banner = line
    else:
        for name, pattern in CONTEXT:
            if name not in log.context and (match := pattern.fullmatch(line)):
                log.context[name] = match.group(1).strip()
                return


def labels_of(lines: list[str]) -> set[str]:
    """The labels of trace lines: those with TRACE in them, and those before a name that only traces use."""
    labels = {"TRACE"}
    for line in lines:
        if (match := LABELLED.match(line)) and match.group(1) not in labels:
            label, rest = match.groups()
            if label != "TRACE_CONFIG" and ("TRACE" in label.upper() or KNOWN_NAME.match(rest)):
                labels.add(label)
    return labels


def read_log(path: str) -> TraceLog:
    """Read a log. Raises InputError when the file cannot be read or holds no trace line."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    # Not splitlines(), which counts form feeds and the like as ends of lines, and editors do not.
    lines = [line.rstrip("\r") for line in content.decode("utf-8", errors="replace").split("\n")]
    log = TraceLog(path, content)
    reader = _Reader(log, labels_of(lines))
    for number, line in enumerate(lines, start=1):
        reader.read(number, line)
    if not any(not line.name.startswith("DETECTOR_") for line in log.lines):
        raise InputError(f"{path}: no trace lines: expected the output of nanoBragg with -trace_pixel SLOW FAST")
    return log
