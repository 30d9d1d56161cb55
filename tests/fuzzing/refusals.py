"""What this program refuses and the C program goes on with, on purpose: listed in docs/differences.md."""

from __future__ import annotations

import re

EXIT_STATUS = 9
# Kind, as docs/reliability.md counts it, and what the message looks like.
REFUSALS: tuple[tuple[str, str], ...] = (
    ("a number that is not finite", r"^option \S+: expected a finite number|: expected a finite number; \S+ overrides"),
    ("a size, distance or wavelength that is not above 0", r"expected a (size|wavelength) above 0"),
    ("a cell that does not exist", r"^-cell .*: (no such cell; expected|expected edges between)"),
    ("vectors that lie in a plane", r"the three reciprocal vectors lie in a plane"),
    ("detector axes that are no directions", r"_vector: expected a direction|are parallel: expected two directions"),
    ("a source at the sample, or without a wavelength", r"source \d+: expected a position other than the sample's"),
    ("no source", r"^the divergence steps leave no source inside the ellipse"),
    (
        "more steps than can be counted",
        r"^a number of steps of \S+ is beyond what can be counted|steps in each pixel: ",
    ),
    ("no spindle steps, or an infinite angle", r"gives no spindle steps|^the spindle's last step is at"),
    ("oversampling that would take for ever", r"^oversampling of \S+ would be needed"),
    ("a crystal of too many cells", r"has more unit cells than can be counted"),
    ("an infinite fluence", r"^-beamsize 0 with -flux"),
    (
        "a detector without pixels, or with too many",
        r"^-detpixels: expected|^(a|the) detector (of|has) .* pixels|memory",
    ),
    ("more of a kind than can be held", r"^\d+ [a-z ]+: expected fewer than"),
    ("a header that does not fit its file", r"header (says|promises) |HEADER_BYTES|it says -?\d+ x -?\d+ pixels"),
    ("a mask of another size", r"the mask has \d+ x \d+ pixels; expected"),
    ("a file that is no list, matrix or table", r": (line \d+: )?(-\w+ )?expect(s|ed) .*(numbers|text file)|found '"),
    ("a traced pixel that is not rendered", r"^-trace_pixel \d+ \d+: "),
    ("an option without its value", r"^option \S+ needs "),
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
