"""Recorded command lines: files of tests/corpus, and their replay."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from .case import Case, Group
from .comparing import describe_stdout
from .running import Outcome, Runner


def to_json(case: Case, expected: Outcome) -> str:
    """A case and the reference's outcome as a corpus entry."""
    entry = {
        "args": case.argv,
        **({"pipes": sorted(case.pipes)} if case.pipes else {}),
        **({"earlier": list(case.earlier)} if case.earlier else {}),
        "files": {name: _encoded(content) for name, content in sorted(case.files.items())},
        "status": expected.status,
        "stdout": expected.stdout.decode("utf-8"),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(expected.files.items())},
    }
    return json.dumps(entry, indent=1) + "\n"


def _encoded(content: bytes) -> dict[str, str]:
    """Text as it is, anything else in base64."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    return {"text": text}


def _decoded(entry: dict[str, str]) -> bytes:
    """The inverse of `_encoded`."""
    return entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])


def from_json(text: str) -> tuple[Case, dict[str, Any]]:
    """The case of a corpus entry, and the entry with what is expected."""
    entry = json.loads(text)
    files = {name: _decoded(content) for name, content in entry["files"].items()}
    pipes, earlier = frozenset(entry.get("pipes", ())), tuple(entry.get("earlier", ()))
    return Case((Group("args", tuple(entry["args"])),), files, pipes, earlier), entry


def replay(path: Path, program: Runner) -> list[str]:
    """What differs when the program runs a corpus entry."""
    case, entry = from_json(path.read_text("utf-8"))
    ours = program(case)
    found: list[str] = []
    if ours.status != entry["status"]:
        last = ours.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        found.append(f"exit status {ours.status} instead of {entry['status']} ({last})")
    if ours.stdout != entry["stdout"].encode():
        found.append(describe_stdout(ours.stdout, entry["stdout"].encode()))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in ours.files.items()}
    for name in sorted({*digests, *entry["sha256"]}):
        if digests.get(name) != entry["sha256"].get(name):
            found.append(f"{name}: {'differs' if name in digests else 'missing'}")
    return found
