"""Texts and bytes that files are made of, and what is like them and goes wrong; what a parser may take for them."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from nanobragg_py.base.errors import InputError

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))

# Pieces that files are made of, and what is like them and goes wrong.
NUMBERS = st.one_of(
    st.integers(-30, 30).map(str),
    st.floats(allow_nan=True).map(repr),
    st.sampled_from(
        "0x1p99999 -0x.8 1e999 1e-999 inf -nan nan(9) . + - 1.2.3 0.1-0.2 --5 1e 1e+ 0x 9999999999 "
        "123456789012345678901234567890 +7 007 1d5 1_0 \u0663 \xb2 \xa0".split()
    ),
)
BLANKS = st.sampled_from([" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", ",", ";", ": ", "\n\n"])
TEXTS = st.lists(st.tuples(NUMBERS, BLANKS), max_size=24).map(
    lambda pairs: "".join(number + blank for number, blank in pairs).encode("utf-8")
)
ANY = st.one_of(st.binary(max_size=400), TEXTS, TEXTS.map(lambda text: text.replace(b".", b"")))


def result_or_input_error(parser, *arguments):
    """What a parser gives, or None if it refuses; anything else it may raise is a failure."""
    try:
        return parser(*arguments)
    except InputError as error:
        assert len(str(error)) < 400
        return None


LARGE = {
    "short words": b"1 1 1 1\n" * 50_000,
    "one line": b"12 3 4 5.5 " * 150_000,
    "one word": b"1" * 2_000_000,
    "one signed word": b"-1" * 1_000_000,
    "blanks": b" " * 2_000_000,
    "lines": b"\n" * 2_000_000,
    "short lines": b"11\n" * 600_000,
    "hexadecimals": b"0 0 0 0x1\n" * 50_000,
    "letters": b"x y\n" * 500_000,
    "far-apart words": b"1" + b" " * 2_500_000 + b"2 3 4\n",
    "parentheses": b"nan(" * 500_000,
    "pixels of an image": b"{\nHEADER_BYTES=512;\nSIZE1=1000;\nSIZE2=999;\n}\f".ljust(512) + bytes(2_000_000),
    "keywords": b"{\nHEADER_BYTES=2000000;\n" + b"SIZE1" * 400_000,
    "dump": b"0 57 0 57 0 57\n\f" + bytes(8 * 59**3),
    "blanks in a dump": b"0 57 0 57 0 57\n\f" + b" " * 8 * 59**3,
}


def check_time_and_memory(parse: Callable[[bytes], object], kind: str, measure_memory: bool = True) -> None:
    """Two megabytes of anything take a parser seconds at most, and never more memory than ten times their size."""
    content = LARGE[kind]
    result_or_input_error(parse, content[:4096])  # whatever it loads
    start = time.process_time()
    result_or_input_error(parse, content)
    assert time.process_time() - start < 5
    if measure_memory and any(word in kind for word in ("short", "far", "pixels", "dump")):
        tracemalloc.start()
        try:
            result_or_input_error(parse, content)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        # The file itself is held by the caller, and counts too.
        assert most < 9 * len(content)
