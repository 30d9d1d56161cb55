"""Faults of the machine and of other people: the right answer or a clear error, and nothing half-written."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forked import BASE, LIST, OUTPUTS, Result, load_kernels, run_forked

from nanobragg_py.base import files
from nanobragg_py.commandline import pixel_log
from nanobragg_py.kernels.library import kernel

LINE = ["-hkl", "P1.hkl", *BASE]
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
PROGRAM = [sys.executable, "-m", "nanobragg_py"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a reflection list."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "P1.hkl").write_text(LIST)
    return tmp_path / "run"


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What LINE writes when nothing is wrong."""
    folder = tmp_path_factory.mktemp("right")
    (folder / "P1.hkl").write_text(LIST)
    result = run_forked(LINE, folder)
    assert (result.status, result.err) == (0, "")
    return result.files


def leftovers(folder: Path) -> list[str]:
    """Temporary files."""
    return [path.name for path in folder.rglob(".*")]


def check_interrupted(result: Result, number: int, folder: Path, right: dict[str, bytes]) -> None:
    """The exit status and message of a signal; every output is the whole new file, or the old one, or none."""
    assert result.status == SIGNALS[number], result.err
    assert result.err.endswith("nanoBragg: interrupted; files not finished were not written\n")
    assert "Traceback" not in result.err
    assert leftovers(folder) == []
    for name in (*OUTPUTS, "Fdump.bin"):
        assert result.files.get(name) in (None, b"old", right[name])


# --- signals ----


def start(words: list[str], folder: Path, cache: Path | None = None) -> subprocess.Popen[bytes]:
    """Our program as a process, with both streams to read from."""
    env = dict(os.environ) if cache is None else {**os.environ, "NANOBRAGG_CACHE": str(cache)}
    # A process started in the background of a script ignores SIGINT; a user's does not.
    wrapper = "import signal, sys, runpy; signal.signal(signal.SIGINT, signal.default_int_handler); "
    wrapper += "sys.argv[0] = 'nanoBragg'; runpy.run_module('nanobragg_py', run_name='__main__')"
    command = [sys.executable, "-c", wrapper, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=env, stdout=pipe, stderr=pipe)


def stop(process: subprocess.Popen[bytes], number: int) -> tuple[int, str, float]:
    """Send a signal; the exit status, standard error, and the seconds it took to end."""
    process.send_signal(number)
    sent = time.perf_counter()
    _, err = process.communicate(timeout=60)
    return process.returncode, err.decode(), time.perf_counter() - sent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_compilation(number: int, folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    process = start(LINE, folder, cache)
    assert b"compiling" in process.stderr.readline()
    time.sleep(0.7)
    status, err, took = stop(process, number)
    assert (status, err) == (SIGNALS[number], "nanoBragg: interrupted; files not finished were not written\n")
    assert took < 10
    assert sorted(path.name for path in folder.iterdir()) == ["P1.hkl"]
    for _ in range(50):
        # A second process that compiles is told to stop, too.
        if not leftovers(cache):
            break
        time.sleep(0.1)
    assert leftovers(cache) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_rendering(number: int, folder: Path) -> None:
    """However long a row takes, the program ends soon."""
    for name in OUTPUTS:
        (folder / name).write_bytes(b"old")
    load_kernels()
    long = "-detpixels 300 -phi 0 -osc 1 -phisteps 100 -mosaic 1 -mosaic_dom 100 -oversample 2".split()
    process = start([*LINE, *long], folder)
    while b"% done" not in process.stdout.readline():
        assert process.poll() is None, process.stderr.read()
    status, err, took = stop(process, number)
    assert (status, err) == (SIGNALS[number], "nanoBragg: interrupted; files not finished were not written\n")
    assert took < 3
    assert leftovers(folder) == []
    assert all((folder / name).read_bytes() == b"old" for name in OUTPUTS)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("at", (*OUTPUTS, "Fdump.bin"))
def test_signal_while_writing(number: int, at: str, folder: Path, right: dict[str, bytes]) -> None:
    """A signal in the middle of each of the five files, also when a thread of its own writes it."""
    for name in (*OUTPUTS, "Fdump.bin"):
        (folder / name).write_bytes(b"old")

    def signal_at_one(target: str, file: object) -> None:
        if target == at:
            os.kill(os.getpid(), number)
            # Until the main thread has heard of it.
            time.sleep(0.05)

    def before() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        files._keep_mode = signal_at_one

    result = run_forked(LINE, folder, before)
    check_interrupted(result, number, folder, right)
    assert result.files[at] == b"old"


def test_second_signal_does_not_stop_the_clean_up(folder: Path, right: dict[str, bytes]) -> None:
    def before() -> None:
        def twice(path: str) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            unlink(path)

        unlink = os.unlink
        os.unlink = twice
        files._keep_mode = lambda target, file: os.kill(os.getpid(), signal.SIGTERM)

    check_interrupted(run_forked(LINE, folder, before), signal.SIGTERM, folder, right)


def test_ignored_signal_stays_ignored(folder: Path, right: dict[str, bytes]) -> None:
    """As under nohup."""

    def before() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        files._keep_mode = lambda target, file: os.kill(os.getpid(), signal.SIGHUP)

    result = run_forked(LINE, folder, before)
    assert (result.status, result.err) == (0, "")
    assert result.files == right


# --- files that go away ----


@pytest.mark.parametrize("option", ["-floatfile", "-intfile", "-pgmfile", "-noisefile"])
def test_output_folder_removed_meanwhile(option: str, folder: Path, right: dict[str, bytes]) -> None:
    (folder / "out").mkdir()

    def before() -> None:
        render = pixel_log.PixelLog.render

        def render_and_remove(*arguments: object) -> None:
            render(*arguments)
            shutil.rmtree("out")

        pixel_log.PixelLog.render = render_and_remove

    result = run_forked([*LINE, option, "out/image"], folder, before)
    says = f"out/image: {option} cannot be written: no such file or directory"
    assert (result.status, result.complaint) == (9, says)
    assert leftovers(folder) == []
    assert all(right[name] == data for name, data in result.files.items())


def test_working_folder_removed_meanwhile(folder: Path) -> None:
    def before() -> None:
        pixel_log.PixelLog.render = lambda *arguments: shutil.rmtree(folder)

    result = run_forked(LINE, folder, before, keep=False)
    says = "floatimage.bin: -floatfile cannot be written: no such file or directory"
    assert (result.status, result.complaint) == (9, says)


def test_names_as_long_as_they_may_be(folder: Path, right: dict[str, bytes]) -> None:
    """A temporary name beside the longest possible one is not too long."""
    name = "é" * 127
    result = run_forked([*LINE, "-floatfile", name], folder)
    assert (result.status, result.err) == (0, "")
    assert result.files[name] == right["floatimage.bin"]


def test_links_stay_links(folder: Path, right: dict[str, bytes]) -> None:
    (folder / "real.bin").write_bytes(b"old")
    (folder / "floatimage.bin").symlink_to("real.bin")
    result = run_forked(LINE, folder)
    assert result.status == 0
    assert (folder / "floatimage.bin").is_symlink()
    assert result.files["real.bin"] == right["floatimage.bin"]


# --- threads ----

THREADED = [*LINE, "-detpixels", "48", "-oversample", "2", "-mosaic", "0.5", "-mosaic_dom", "3"]
CASES = {
    "plain": THREADED,
    "sweep": [*THREADED, "-phi", "0", "-osc", "1", "-phisteps", "3"],
    "leaving the list": [*THREADED, "-interpolate", "-N", "2"],
    "masked and limited": [*THREADED, "-roi", "3", "40", "5", "44", "-water", "10"],
}


@pytest.mark.parametrize("case", CASES)
def test_any_number_of_threads(case: str, folder: Path) -> None:
    """1 to 16 threads, on all cores or on one: the same standard output and files."""
    kernel("render_square_tricubic")
    first = run_forked([*CASES[case], "--threads", "1"], folder)
    assert first.status == 0 and first.err.count("\n") == 1 and "--fix" in first.err, first.err

    def on_one_core() -> None:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    before = on_one_core if hasattr(os, "sched_setaffinity") else None
    for count in (*range(2, 17), 500):
        again = run_forked([*CASES[case], "--threads", str(count)], folder, before if count % 2 else None)
        assert again == first, f"{count} threads"


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "taskset"])
def test_environment_does_not_matter(variable: str, folder: Path) -> None:
    command, env = [*PROGRAM, *CASES["sweep"]], dict(os.environ)
    if variable != "taskset":
        env[variable] = "1"
    elif shutil.which("taskset"):
        command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *command]
    else:
        pytest.skip("needs taskset")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    first = run_forked(CASES["sweep"], folder)
    assert (done.stdout.decode(), written) == (first.out, first.files)


def test_as_many_threads_as_the_system_allows(folder: Path, right: dict[str, bytes]) -> None:
    """A system that starts one thread only is slow, and no error."""

    def before() -> None:
        import threading

        started = []
        really = threading.Thread.start

        def start_once(thread: threading.Thread) -> None:
            if len(started) and "crew" in sys._getframe(1).f_globals["__name__"]:
                raise RuntimeError("can't start new thread")
            started.append(thread)
            really(thread)

        threading.Thread.start = start_once

    result = run_forked([*LINE, "--threads", "8"], folder, before)
    assert (result.status, result.err) == (0, "")
    assert result.files == right


# --- files that ask for too much, or for something else ----


def limited_memory() -> None:
    """In a child: a gigabyte more than it has now, and no more."""
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**30, resource.RLIM_INFINITY))


HEADER = "{{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n{}}}\f"


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("words", "content", "says"),
    [
        ("-img x", HEADER.format("SIZE1=50000;\nSIZE2=20000;\n").ljust(512), "2000000512 bytes in all"),
        ("-mask x", HEADER.format("SIZE1=50000;\nSIZE2=20000;\n").ljust(512), "2000000512 bytes in all"),
        ("-hkl x", "0 0 0 1\n1000000000 0 0 1\n", "need a grid of 29.8 GiB"),
        ("-hkl x -default_F 1", "-400000000 0 0 1\n400000000 0 0 1\n", "need a grid of 23.8 GiB"),
        ("-sourcefile x", "1\n" * 10**7, "10000000 lines, which would need 9.31 GiB"),
        ("-detpixels 40000", "", "40000 x 40000 pixels would need 5.96 GiB of memory"),
        ("-hdivrange 1 -hdivsteps 3000 -vdivrange 1 -vdivsteps 3000", "", "9000000 sources would need 8.38 GiB"),
    ],
)
def test_too_much_is_refused_before_it_is_allocated(words: str, content: str, says: str, folder: Path) -> None:
    (folder / "x").write_text(content)
    started = time.perf_counter()
    result = run_forked([*LINE, *words.split()], folder, limited_memory)
    assert result.status == 9, result.err
    assert says in result.complaint
    assert time.perf_counter() - started < 5


def opened_files(words: list[str], folder: Path) -> tuple[Result, list[str]]:
    """A run, and every path it opens; starting a program, a socket, or unpickling is an error."""
    # fabio's own plug-ins are none of a file's business.
    import fabio.dtrekimage  # noqa: F401

    load_kernels()
    record = folder.parent / "opened"
    log = os.open(record, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_TRUNC)

    def watch(event: str, arguments: tuple) -> None:
        if event == "open" and isinstance(arguments[0], (str, bytes)):
            os.write(log, os.fsencode(arguments[0]) + b"\n")
        elif re.match(r"subprocess|os\.(system|exec|spawn|posix_spawn|fork)|socket|pickle|ctypes\.dlopen", event):
            os.write(log, f"EVENT {event} {arguments}\n".encode())

    result = run_forked(words, folder, lambda: sys.addaudithook(watch))
    os.close(log)
    return result, record.read_text().splitlines()


def test_no_path_from_inside_a_file_is_opened(folder: Path, tmp_path: Path) -> None:
    """Names in headers, lists and suffixes that other programs act on lead nowhere."""
    pixels = b"\1\0" * 256
    lines = "SIZE1=16;\nSIZE2=16;\nFILENAME=/etc/passwd;\nDARK=../secret;\nCOMPRESSED=|touch owned;\n"
    mask = HEADER.format(lines).encode().ljust(512) + pixels
    names = ["m.img.gz", "m;touch owned.img", "|touch owned", "m.bz2", "m.h5::/etc/passwd", "m_0001.img"]
    for name in names:
        path = folder / name
        if "/" in name:
            continue
        path.write_bytes(mask)
        result, opened = opened_files([*LINE, "-mask", name, "-img", name], folder)
        assert result.status == 0, result.err
        assert sorted(set(result.files) - {"P1.hkl", "Fdump.bin", *OUTPUTS, *names}) == []
        strange = [entry for entry in opened if "passwd" in entry or "secret" in entry or "owned" in entry]
        assert set(strange) <= {name}
        assert [entry for entry in opened if entry.startswith("EVENT")] == []
        own = [entry for entry in opened if "/" not in entry]
        assert {re.sub(r"^\.(.+)\.[0-9a-f]{8}$", r"\1", entry) for entry in own} == {
            name, "P1.hkl", "Fdump.bin", *OUTPUTS,
        }  # fmt: skip
        path.unlink()
