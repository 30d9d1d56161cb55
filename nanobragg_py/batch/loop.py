"""Command lines one after the other in one process, each with what a process of its own would write."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO, cast

import click

from ..base import interruption
from ..base.errors import InputError, printable
from ..base.files import whole_file
from ..base.process import message_of
from ..commandline import cli, exits
from ..options.config import scan
from ..rendering.renderer import threads_by_default
from .lines import Line
from .outputs import Writers, outputs

NAME = "nb-batch"
# Different messages of lines that are remembered, so that they are not repeated.
MOST_REMEMBERED = 1000


@dataclass(frozen=True)
class Settings:
    """How lines are run: where their standard output goes (None: to ours), and what ends the batch.

    threads: for lines that do not say themselves, and whose images are not too small for more than one.
    """

    log_folder: str | None = None
    threads: int | None = None
    stop: bool = False
    dry_run: bool = False


class _Messages:
    """What lines say on standard error: what an earlier line has said, except errors, is only counted."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self.left_out = 0

    def is_news(self, text: str) -> bool:
        """Whether it is to be shown."""
        if text.startswith("nanoBragg: error: "):
            return True
        if text in self._said:
            self.left_out += 1
            return False
        if len(self._said) < MOST_REMEMBERED:
            self._said.add(text)
        return True


class _UnderLine(io.TextIOBase):
    """Standard error with `line N: ` before every line, and without what earlier lines said."""

    def __init__(self, stream: TextIO, number: int, messages: _Messages) -> None:
        self._stream = stream
        self._number = number
        self._messages = messages
        self._begun = ""

    def write(self, text: str) -> int:
        """Write text, each line when it is complete."""
        *complete, self._begun = (self._begun + text).split("\n")
        for message in complete:
            if self._messages.is_news(message):
                self._stream.write(f"line {self._number}: {message}\n")
        return len(text)

    def flush(self) -> None:
        """Let a reader see it."""
        self._stream.flush()


class Batch:
    """The lines of one file, as they are run."""

    def __init__(self, lines: Sequence[Line], settings: Settings) -> None:
        self._stderr = sys.stderr
        self._lines = lines
        self._settings = settings
        self._writers = Writers()
        self._messages = _Messages()
        self._at: Line | None = None
        self._done = 0
        self._failed = 0

    def run(self) -> int:
        """Run them; returns 0, 1 when some failed, 128 + number after a signal.

        Raises OSError or InputError when standard output cannot be written.
        """
        interruption.clean_ups.append(self._say_how_to_go_on)
        try:
            with interruption.handled():
                try:
                    self._run_all()
                except (KeyboardInterrupt, click.Abort):
                    interruption.clean_up()
                    return interruption.exit_status()
        except BrokenPipeError:
            raise
        except (OSError, InputError):
            self._say_how_to_go_on()
            raise
        finally:
            interruption.clean_ups.remove(self._say_how_to_go_on)
        if self._messages.left_out:
            self._say(f"{self._messages.left_out} messages that an earlier line had, too, were not repeated")
        if self._failed:
            self._say(f"{self._failed} of {self._done} lines failed")
        return 1 if self._failed else 0

    def _run_all(self) -> None:
        with threads_by_default(self._settings.threads):
            self._run_each()

    def _run_each(self) -> None:
        for line in self._lines:
            self._at = line
            succeeded = self._run_with_log(line)
            self._done += 1
            self._failed += not succeeded
            if self._settings.stop and not succeeded:
                left = len(self._lines) - self._done
                self._say(f"stopped at line {line.number}; {left} left; --from {line.number} begins with it")
                return
        self._at = None

    def _run_with_log(self, line: Line) -> bool:
        with contextlib.redirect_stderr(cast(TextIO, _UnderLine(sys.stderr, line.number, self._messages))):
            if self._settings.log_folder is None or self._settings.dry_run:
                succeeded = self._run_line(line)
                sys.stdout.flush()
                return succeeded
            with self._log(line.number):
                return self._run_line(line)

    @contextlib.contextmanager
    def _log(self, number: int) -> Iterator[None]:
        """While in here, standard output is the log of a line."""
        path = os.path.join(self._settings.log_folder or "", f"{number}.log")
        with whole_file(path, "--log-dir") as file:
            log = io.TextIOWrapper(file, sys.stdout.encoding, sys.stdout.errors, newline="\n")
            with contextlib.redirect_stdout(log):
                yield
            log.flush()
            log.detach()

    def _run_line(self, line: Line) -> bool:
        """Whether it succeeded; why not is said."""
        try:
            self._render(line)
        except Exception as error:
            if isinstance(error, OSError) and not error.filename:
                # Not the line has failed but where standard output goes; the next ones would fail alike.
                raise
            message = message_of(error)
            if message is None:
                traceback.print_exc()
                message = f"internal: {type(error).__name__}"
            print(f"nanoBragg: error: {printable(message)}", file=sys.stderr, flush=True)
            return False
        return True

    def _render(self, line: Line) -> None:
        words = line.words()
        shown = exits.text(words, cli.command, cli.COMPLETE)
        if shown is not None:
            click.echo(shown)
            return
        config, warnings = scan(words)
        names = outputs(config)
        for message in self._writers.overwritten(names, line.number):
            self._say(f"warning: {message}")
        if self._settings.dry_run:
            print(f"line {line.number}: {' '.join(names)}")
        else:
            cli.simulate(config, warnings)

    def _say_how_to_go_on(self) -> None:
        """Said after a signal, too, when the process is about to end."""
        if self._at is not None:
            done = f"{self._done} of {len(self._lines)} lines done, {self._failed} of them failed"
            self._say(f"stopped in line {self._at.number}: {done}; go on with --from {self._at.number}")

    def _say(self, message: str) -> None:
        """Say something that is not a line's own."""
        with contextlib.suppress(OSError):
            print(f"{NAME}: {printable(message)}", file=self._stderr, flush=True)
