"""What the comparing tools share: `name: error: …` on standard error and exit status 2, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ..base.errors import InputError

CANNOT_COMPARE = 2


class ToolCommand(click.Command):
    """A click command whose every failure is one line on standard error and exit status 2."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run; the command's return value is the exit status (None is 0)."""
        extra["standalone_mode"] = False
        try:
            status = super().main(*args, **extra) or 0
            sys.stdout.flush()
        except (click.ClickException, InputError) as error:
            message = error.format_message() if isinstance(error, click.ClickException) else str(error)
            status = self.fail(message)
        except (click.Abort, KeyboardInterrupt):
            status = 130
        except BrokenPipeError:
            # The reader (head, less) has seen enough. Python would complain again when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 141
        except MemoryError:
            status = self.fail("not enough memory")
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            status = self.fail(f"{where}{(error.strerror or str(error)).lower()}")
        sys.exit(status)

    def fail(self, message: str) -> int:
        """Say what is wrong on standard error; the exit status."""
        print(f"{self.name}: error: {message}", file=sys.stderr)
        return CANNOT_COMPARE
