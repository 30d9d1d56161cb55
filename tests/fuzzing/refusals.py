"""What this program refuses and the C program goes on with, on purpose: listed in docs/differences.md."""

from __future__ import annotations

import re

EXIT_STATUS = 9
# Kind, as docs/reliability.md counts it, and what the message looks like.
REFUSALS: tuple[tuple[str, str], ...] = ()


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
