"""How many threads render an image where nobody has said."""

from __future__ import annotations

import os

import pytest

from nanobragg_py.options.config import scan
from nanobragg_py.rendering.renderer import Renderer, default_threads, threads_by_default
from nanobragg_py.resolve.stages import resolve

BASE = "-default_F 100 -cell 30 40 50 90 90 90 -N 3 -pixel 0.1 -distance 50 -lambda 1 -oversample 1 --fix none"


def threads_of(detpixels: int, asked: int | None = None) -> int:
    """Threads that render an image of so many pixels a side."""
    config, _ = scan([*BASE.split(), "-detpixels", str(detpixels)])
    return Renderer(resolve(config), asked).threads


def test_small_images_have_one_unless_somebody_says() -> None:
    """Threads take longer to start than 64 x 64 pixels to render."""
    assert threads_of(64) == 1 and threads_of(64, 3) == 3
    assert threads_of(1024) == default_threads()


def test_another_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As nb-batch commands --threads has it; afterwards it is what it was."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    with threads_by_default(5):
        assert (threads_of(64), threads_of(1024), threads_of(1024, 2)) == (1, 5, 2)
        with threads_by_default(None):
            assert default_threads() == 3
    assert default_threads() == 3
