"""Simulators in other processes: forked, spawned, from a fork server; as torch's DataLoader uses its workers.

Each script runs in a process of its own, so that one that hangs is ended, and fails.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py import DefectWarning, InputError, Simulator, simulate
from nanobragg_py.base.shapes import SHAPES

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = dict(cell=(70, 80, 90), default_F=100, N=5, detpixels=64, pixel_mm=1.6, oversample=1, fluence=1e28)

PREAMBLE = f"""
import multiprocessing, os, sys, threading, time, warnings
import numpy as np
from nanobragg_py import Simulator, simulate

warnings.filterwarnings("ignore", category=DeprecationWarning)  # of forks in a process with threads
OPTIONS = {OPTIONS!r}

def in_a_child(work):
    \"\"\"Whether work() is true in a forked child.\"\"\"
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0
"""

LOADER = """
class Images:
    \"\"\"A data set as DataLoader wants it: the whole of it goes to each worker, which is asked for items.\"\"\"

    def __init__(self):
        self.simulator = Simulator(threads=2, **OPTIONS)

    def __len__(self):
        return 8

    def __getitem__(self, number):
        still = next(self.simulator.stills(1, seed=(5, number)))
        image = self.simulator.render((number, 2, 3)).image
        return still.image, still.spots.hkl, image


def work(images, numbers, results):
    for number in iter(numbers.get, None):
        results.put((number, images[number]))


def main(method):
    context = multiprocessing.get_context(method)
    images = Images()
    # Threads are there before the workers are.
    expected = [images[number] for number in range(len(images))]
    numbers, results = context.Queue(), context.Queue()
    workers = [context.Process(target=work, args=(images, numbers, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for number in [*range(len(images)), None, None]:
        numbers.put(number)
    for _ in range(len(images)):
        number, found = results.get()
        assert all(map(np.array_equal, found, expected[number])), number
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]


if __name__ == "__main__":
    main(sys.argv[1])
    print("same")
"""

FORKED = """
with Simulator(threads=2, **OPTIONS) as simulator:
    image = simulator.render((1, 2, 3)).image
    expected = [still.image for still in simulator.stills(6, seed=4)]
    assert in_a_child(lambda: np.array_equal(simulator.render((1, 2, 3)).image, image))
    assert in_a_child(lambda: np.array_equal(simulate(misset=(1, 2, 3), threads=2, **OPTIONS).image, image))
    # Stills that the parent's threads have begun.
    stills = simulator.stills(6, seed=4)
    first = next(stills).image
    assert in_a_child(lambda: all(map(np.array_equal, [s.image for s in stills], expected[1:])))
    assert all(map(np.array_equal, [first, *(s.image for s in stills)], expected))
    # A grandchild, after its parent has used threads of its own.
    assert in_a_child(
        lambda: np.array_equal(simulator.render((1, 2, 3)).image, image)
        and in_a_child(lambda: np.array_equal(simulator.render((1, 2, 3)).image, image))
    )
assert in_a_child(lambda: "closed" in repr(simulator))
print("same")
"""

BUSY = """
with Simulator(threads=2, **OPTIONS) as simulator:
    image = simulator.render((1, 2, 3)).image
    done = threading.Event()

    def keep_busy():
        while not done.is_set():
            simulator.render((4, 5, 6))

    callers = [threading.Thread(target=keep_busy) for _ in range(3)]
    for caller in callers:
        caller.start()
    same = [in_a_child(lambda: np.array_equal(simulator.render((1, 2, 3)).image, image)) for _ in range(20)]
    done.set()
    for caller in callers:
        caller.join()
assert all(same), same
print("same")
"""

LOADING = """
def render(shape):
    return simulate(shape=shape, threads=1, **OPTIONS | dict(fudge=0.01)).image.any()

# Each loads, or compiles, kernels of its own.
shapes = ["square", "round", "gauss", "tophat"]
callers = [threading.Thread(target=render, args=(shape,)) for shape in shapes]
for caller in callers:
    caller.start()
same = [in_a_child(lambda shape=shape: render(shape)) for shape in shapes]
for caller in callers:
    caller.join()
assert all(same), same
print("same")
"""


def output_of(script: str, folder: Path, *words: str) -> str:
    """What a script prints; it must end well, and soon."""
    path = folder / "script.py"
    path.write_text(PREAMBLE + script)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(path), *words]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_a_data_loader(method, tmp_path) -> None:
    """Two workers give the images and labels of one process, however they are started."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    assert output_of(LOADER, tmp_path, method) == "same\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("script", [FORKED, BUSY, LOADING], ids=["idle", "busy", "loading"])
def test_forked_children_render(script, tmp_path) -> None:
    """A child starts threads of its own; also of a parent whose other threads are at work."""
    assert output_of(script, tmp_path) == "same\n"


def copy_of(value):
    """What another process would get."""
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("shape", [shape.name for shape in SHAPES])
def test_pickled_simulators_render_the_same(shape) -> None:
    """Orientations, labels, changes, noise and all; whatever was drawn at random has been drawn."""
    mask = np.ones((60, 64))
    mask[20:30] = 0
    options = OPTIONS | dict(shape=shape, fudge=1e-2, mask=mask, misset="random", mosaic_deg=0.2, mosaic_domains=3)
    del options["detpixels"]
    with Simulator(sources=[[-10, 0, 0], [-10, 0.01, 0]], **options) as simulator, copy_of(simulator) as other:
        for arguments in ({}, dict(orientation=(1, 2, 3)), dict(phi_deg=2, osc_deg=1), dict(distance_mm=150)):
            one, two = simulator.render(**arguments), other.render(**arguments)
            assert one.image.any() and np.array_equal(one.image, two.image)
            assert np.array_equal(one.noise().image, two.noise().image)
        for one, two in zip(simulator.stills(3, seed=2), other.stills(3, seed=2), strict=True):
            assert np.array_equal(one.image, two.image) and all(map(np.array_equal, one.spots, two.spots))
        assert repr(other) == repr(simulator)


def test_a_pickle_is_small() -> None:
    """What is computed anew is not sent: detector geometry, threads, labels."""
    with Simulator(**OPTIONS | dict(detpixels=512, pixel_mm=0.2)) as simulator:
        list(simulator.stills(1))
        assert len(pickle.dumps(simulator)) < 50_000


def test_pickled_results_are_whole(tmp_path) -> None:
    """An image that comes back from a worker writes the same files and has the same labels."""
    result = copy_of(one := simulate(seed=3, **OPTIONS))
    assert np.array_equal(result.image, one.image) and result.config == one.config
    assert vars(result.statistics) == vars(one.statistics) and np.array_equal(result.noise().image, one.noise().image)
    assert all(map(np.array_equal, result.spots(), one.spots()))
    for name, image in (("one", one), ("two", result)):
        (tmp_path / name).mkdir()
        image.write(tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_shapes_keep_their_identity() -> None:
    """Rows of the table of shapes are compared by identity, also those from another process."""
    assert all(copy_of(shape) is shape for shape in SHAPES)


def test_closed_simulators_say_so() -> None:
    """Nothing can be rendered after close(), in any number of threads, by anyone; closing twice is fine."""
    for threads in (1, 3):
        with Simulator(threads=threads, **OPTIONS) as simulator:
            begun = simulator.stills(100)
            next(begun)
        simulator.close()
        assert repr(simulator).endswith("closed>")
        for again in (simulator, copy_of(simulator)):
            for call in (again.render, lambda again=again: again.stills(1)):
                with pytest.raises(InputError, match="the simulator is closed"):
                    call()
        with pytest.raises(InputError, match="the simulator is closed"):
            list(begun)


def test_no_thread_is_left() -> None:
    """A simulator that is forgotten ends its threads."""
    import gc
    import threading
    import time

    def ours() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("nanobragg_py")]

    simulator = Simulator(threads=3, **OPTIONS)
    list(simulator.stills(6))
    assert ours()
    del simulator
    gc.collect()
    ends = time.monotonic() + 20
    while ours() and time.monotonic() < ends:
        time.sleep(0.01)
    assert not ours()


def test_defects_are_warned_of_once() -> None:
    """By the line that makes the simulator, and not by its images, pickles or children."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        simulator = Simulator(**{**OPTIONS, "cell": (40, 50, 60, 80, 95, 105)})
        simulator.render()
        list(simulator.stills(2))
        copy_of(simulator).render()
    assert [warning.category for warning in caught] == [DefectWarning]
    assert caught[0].filename == __file__ and "cell" in str(caught[0].message)
