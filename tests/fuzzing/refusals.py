"""What this program refuses and the C program goes on with, on purpose: the rows of a table in docs/differences.md."""

from __future__ import annotations

import re

EXIT_STATUS = 9
# How a row begins, and what the message looks like.
REFUSALS: tuple[tuple[str, str], ...] = (
    ("a number that is not finite", r"^option \S+: expected a finite number|: expected a finite number; \S+ overrides"),
    ("a size, distance or wavelength that is not above 0", r"expected a (size|wavelength) above 0"),
    ("a cell that does not exist", r"^-cell .*: (no such cell; expected|expected edges between)"),
    ("a matrix that cannot be inverted", r"the three reciprocal vectors lie in a plane"),
    ("axes without a direction", r"expected a direction|are parallel: expected two directions"),
    ("a source at the sample, or without a wavelength", r"source \d+: expected a position other than the sample's"),
    ("divergence steps that leave no source", r"^the divergence steps leave no source inside the ellipse"),
    (
        "more steps than can be counted",
        r"^a number of steps of \S+ is beyond what can be counted|steps in each pixel: ",
    ),
    ("a sweep without steps", r"gives no spindle steps|^the spindle's last step is at"),
    ("oversampling that would take for ever", r"^oversampling of \S+ would be needed"),
    ("a crystal of more cells than can be counted", r"has more unit cells than can be counted"),
    ("an infinite fluence", r"^-beamsize 0 with -flux"),
    (
        "a detector without pixels, or with more than can be held",
        r"^-detpixels: expected|^(a|the) detector (of|has) .* pixels|memory",
    ),
    ("more sources, domains or layers than can be held", r"^\d+ [a-z ]+: expected fewer than"),
    ("a header that does not fit its file", r"header (says|promises) |HEADER_BYTES|it says -?\d+ x -?\d+ pixels"),
    ("a mask of another size than the detector", r"the mask has \d+ x \d+ pixels; expected"),
    (
        "a list, matrix or table with anything but numbers",
        r": (line \d+: )?(-\w+ )?expect(s|ed) .*(numbers|text)|found '",
    ),
    ("a traced pixel that is not rendered", r"^-trace_pixel \d+ \d+: "),
    ("an option as the last word whose value is missing", r"^option \S+ needs "),
)


def refusal(status: int, stderr: bytes) -> str | None:
    """The kind of a refusal on purpose, or None."""
    message = re.search(rb"^nanoBragg: error: (.*)$", stderr, re.MULTILINE)
    if status != EXIT_STATUS or message is None:
        return None
    text = message[1].decode(errors="replace")
    for kind, pattern in REFUSALS:
        if re.search(pattern, text):
            return kind
    return None
