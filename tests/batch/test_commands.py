"""nb-batch commands: each line as a process of its own would have run it, whatever came before."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[bytes]
ROOT = Path(__file__).resolve().parents[2]
BASE = "-cell 30 40 50 90 90 90 -N 3 -detpixels 24 -pixel 1 -distance 50 -lambda 1 -seed 1"
HKL = "".join(f"{h} {k} {i} {100 + 10 * h + k + i}\n" for h in range(-3, 4) for k in range(-4, 5) for i in range(-4, 5))
# {n} stands for a number of the line, so that each has files of its own.
OWN_FILES = "-floatfile f{n}.bin -intfile i{n}.img -pgmfile p{n}.pgm -noisefile n{n}.img -dumpfile d{n}.dump"
VARIETY = [
    "-default_F 100",
    "-default_F 100 -seed 7 -oversample 2 -fluence 1e24",
    "-hkl P1.hkl -fluence 1e24 -oversample 1",
    "-hkl P1.hkl -interpolate -misset 10 20 30",
    "-hkl missing.hkl",
    "-default_F 100 -roi 3 12 5 20 -mosaic 1 -mosaic_domains 5",
    "-default_F 100 -lambda",
    "-default_F 100 -misset random -mosaic_seed 3 -misset_seed 8 -mosaic 2 -mosaic_domains 3",
    "-default_F 100 -trace_pixel 5 6",
    "-default_F 100 -trace_pixel 5 6 --trace-only",
    "-default_F 100 -nosuch --fix all",
    "-default_F 100 --nosuch",
    "-default_F 100 --fix none --quiet --preview 'a picture {n}.png' --save s{n}.npy",
    "-default_F 100 -phi 1 -osc 2 -phisteps 3 -thick 0.5 -abs 1 -thicksteps 2 -printout",
    "-default_F 100 --preview nowhere/p.png",
    "-default_F 100 -floatfile nowhere/f.bin",
    "-default_F 100 -hdivrange 1 -hdivsteps 3 -nonoise -nopgm -water 1",
    "-default_F 100 --frames 2 --frame-width 1 --save-noise fr{n}_#.img",
    "--version",
    "",
]


def lines() -> list[str]:
    """The command lines, each with files of its own."""
    return [f"{BASE} {OWN_FILES} {special}".replace("{n}", str(n)) for n, special in enumerate(VARIETY)]


def folder(path: Path) -> Path:
    path.mkdir()
    (path / "P1.hkl").write_text(HKL)
    return path


def run(program: str, arguments: list[str], cwd: Path, **settings: object) -> Done:
    command = [sys.executable, str(ROOT / "bin" / program), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=120, check=False, **settings)  # type: ignore[call-overload, no-any-return]


def batch(text: str, cwd: Path, *options: str) -> Done:
    return run("nb-batch", ["commands", "-", *options], cwd, input=text.encode())


def contents(path: Path) -> dict[str, bytes]:
    return {str(one.relative_to(path)): one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()}


@pytest.fixture(scope="module")
def alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[subprocess.CompletedProcess[bytes]], dict[str, bytes]]:
    """What the lines print as processes of their own, one after the other in one folder, and their files."""
    where = folder(tmp_path_factory.mktemp("alone") / "runs")
    text = "\n".join(f"{sys.executable} {ROOT}/bin/nanoBragg {line} > {n}.out 2> {n}.err; echo $? > {n}.status"
                     for n, line in enumerate(lines()))  # fmt: skip
    subprocess.run(["sh", "-c", text], cwd=where, check=True, timeout=300)
    done = []
    for n in range(len(VARIETY)):
        out, err, status = (where / f"{n}.{what}" for what in ("out", "err", "status"))
        done.append(subprocess.CompletedProcess([], int(status.read_text()), out.read_bytes(), err.read_bytes()))
        for path in (out, err, status):
            path.unlink()
    return done, contents(where)


def test_as_the_shell_loop(alone, tmp_path: Path) -> None:
    """Standard output, files, and which lines fail with which message are those of separate processes."""
    one_by_one, files = alone
    where = folder(tmp_path / "batch")
    done = batch("\n".join(lines()), where)
    assert done.stdout == b"".join(one.stdout for one in one_by_one)
    assert contents(where) == files
    errors = [
        f"line {n}: {text}"
        for n, one in enumerate(one_by_one, 1)
        for text in one.stderr.decode().splitlines()
        if one.returncode
        if "error: " in text
    ]
    assert [text for text in done.stderr.decode().splitlines() if "error: " in text] == errors
    failing = sum(one.returncode != 0 for one in one_by_one)
    assert failing == len(errors) >= 5
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == f"nb-batch: {failing} of {len(VARIETY)} lines failed"
    said = {text for one in one_by_one for text in one.stderr.decode().splitlines()}
    shown = {text.partition(": ")[2] for text in done.stderr.decode().splitlines() if text.startswith("line ")}
    # Kernels are compiled by whoever needs them first on a machine.
    compiling = {text for text in said | shown if text.startswith("nanoBragg: compiling the kernels")}
    assert shown - compiling == said - compiling


@pytest.mark.parametrize("seed", [1, 2])
def test_order_does_not_matter(alone, tmp_path: Path, seed: int) -> None:
    """Shuffled, and each twice: no line leaves anything to another; logs by line number."""
    one_by_one, files = alone
    order = [*range(len(VARIETY)), *range(len(VARIETY))]
    random.Random(seed).shuffle(order)
    where = folder(tmp_path / "batch")
    done = batch("\n".join(lines()[n] for n in order), where, "--log-dir", "../logs", "--threads", "2")
    assert done.stdout == b""
    assert contents(where) == files
    logs = contents(tmp_path / "logs")
    assert sorted(logs) == sorted(f"{number}.log" for number in range(1, len(order) + 1))
    for number, n in enumerate(order, 1):
        assert logs[f"{number}.log"] == one_by_one[n].stdout, VARIETY[n]


def test_a_file_that_changes_between_lines_is_read_anew(tmp_path: Path) -> None:
    """A reflection list is not remembered by name: it changes while the second line waits for a pipe."""
    where = folder(tmp_path / "batch")
    os.mkfifo(where / "gate")
    one = f"{BASE} -hkl P1.hkl -dumpfile /dev/null -floatfile"
    text = f"{one} a.bin\n{BASE} -hkl gate -dumpfile /dev/null -floatfile g.bin\n{one} b.bin\n"
    (where / "list").write_text(text)
    command = [sys.executable, str(ROOT / "bin" / "nb-batch"), "commands", "list"]
    with subprocess.Popen(command, cwd=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        with open(where / "gate", "w") as gate:
            assert (where / "a.bin").exists()
            (where / "P1.hkl").write_text(HKL.replace(" 1", " 2"))
            gate.write(HKL)
        assert process.wait(60) == 0
    run("nanoBragg", f"{one} c.bin".split(), where)
    assert (where / "b.bin").read_bytes() == (where / "c.bin").read_bytes() != (where / "a.bin").read_bytes()


def test_files_written_twice_are_told_of_once(tmp_path: Path) -> None:
    line = f"{BASE} -default_F 1 -intfile i.img -nopgm -nonoise -dumpfile d --quiet"
    done = batch(f"{line} -floatfile a\n{line} -floatfile b\n\n{line} -floatfile ./a\n", tmp_path)
    assert done.returncode == 0
    assert done.stderr.decode().splitlines() == [
        "nb-batch: warning: i.img: written by line 1 and by line 2: the last one stays",
        "nb-batch: warning: ./a: written by line 1 and by line 4: the last one stays",
    ]


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = batch(f"{BASE} -floatfile a\n-lambda\n", tmp_path, "--dry-run", "--log-dir", "logs")
    assert done.stdout == b"line 1: a intimage.img image.pgm noiseimage.img\n"
    assert done.returncode == 1 and b"line 2: nanoBragg: error: option -lambda needs a value" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_from_and_stop(tmp_path: Path) -> None:
    good = f"{BASE} -default_F 1 --fix none -floatfile"
    text = f"{good} 1.bin\n# comment\n{good} 3.bin\n-lambda\n{good} 5.bin\n"
    done = batch(text, tmp_path, "--from", "2", "--stop", "--log-dir", "logs")
    assert done.returncode == 1
    assert sorted(path.name for path in tmp_path.glob("*.bin")) == ["3.bin"]
    assert done.stderr.decode().splitlines()[-2] == "nb-batch: stopped at line 4; 1 left; --from 4 begins with it"


def test_bad_input(tmp_path: Path) -> None:
    """What cannot be run at all is one line and exit status 9."""
    for arguments, said in (
        (["commands", "none.txt"], "none.txt: FILE cannot be read"),
        (["commands"], "Missing argument 'FILE'"),
        (["nothing"], "No such command 'nothing'"),
        (["commands", "-", "--threads", "0"], "'--threads'"),
    ):
        done = run("nb-batch", arguments, tmp_path, input=b"-h\n")
        assert (done.returncode, done.stdout) == (9, b"")
        assert done.stderr.startswith(b"nb-batch: error: ") and said.encode() in done.stderr
        assert done.stderr.count(b"\n") == 1
    done = batch("-h\n", tmp_path, "--from", "7")
    assert done.returncode == 9 and b"the last command line is line 1" in done.stderr
    done = batch("# nothing\n\n", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"nb-batch: warning: -: has no command lines\n")


def test_a_full_disk_and_a_reader_that_has_gone(tmp_path: Path) -> None:
    """When it is our own standard output that fails, no further line is run."""
    text = f"{BASE} -default_F 1 -floatfile a\n{BASE} -default_F 1 -floatfile b\n" * 20
    (tmp_path / "list").write_text(text)
    command = f"{sys.executable} {ROOT}/bin/nb-batch commands list"
    # With a buffer, as usual: what is left in it meets the full disk once more when Python ends.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    full = subprocess.run(
        ["sh", "-c", f"{command} > /dev/full"], cwd=tmp_path, capture_output=True, timeout=60, env=usual
    )
    assert full.returncode == 9 and b"no space left on device" in full.stderr and b"go on with --from 1" in full.stderr
    assert not (tmp_path / "b").exists() and b"Exception" not in full.stderr
    gone = subprocess.run(
        ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"], cwd=tmp_path, capture_output=True, timeout=60
    )
    assert gone.returncode == 141 and b"Traceback" not in gone.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals(tmp_path: Path, number: int) -> None:
    """It stops, says how to go on, leaves no half a file, and going on gives what is missing."""
    slow = f"{BASE} -default_F 1 -dumpfile d --fix none -detpixels 2000 -oversample 20 -floatfile slow.bin --threads 1"
    quick = f"{BASE} -default_F 1 -dumpfile d --fix none -floatfile"
    (tmp_path / "list").write_text(f"{quick} a.bin\n\n{slow}\n{quick} c.bin\n")
    command = [sys.executable, str(ROOT / "bin" / "nb-batch"), "commands", "list", "--log-dir", "logs"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while not (tmp_path / "logs" / "1.log").exists() and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err.decode().splitlines()[-1] == (
        "nb-batch: stopped in line 3: 1 of 3 lines done, 0 of them failed; go on with --from 3"
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert "a.bin" in names and not names & {"slow.bin", "c.bin"}
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["1.log"]
    assert not [name for name in names if name.startswith(".")]


def test_one_process(tmp_path: Path) -> None:
    """A hundred lines do not take what a hundred starts of Python take."""
    text = "".join(f"{BASE} -default_F 1 -dumpfile d -oversample 1 -floatfile {n}.bin\n" for n in range(100))
    before = os.times()
    assert batch(text, tmp_path).returncode == 0
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < 5
    assert len(list(tmp_path.glob("*.bin"))) == 100
