"""The cache of compiled kernels: damaged, unwritable, superseded, and not to be trusted."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from forked import Result
from kernels_in_use import LINE, SMALL, start

from nanobragg_py.kernels.library import cache as kept
from nanobragg_py.kernels.library import fingerprint, trust

Run = Callable[..., Result]
Compiled = Callable[[], list[str]]
DAY_S = 86400
SOMEBODY = 54321


def leftovers(folder: Path) -> list[str]:
    """Temporary files."""
    return [path.name for path in folder.rglob(".*")]


# --- files that are not what they should be ---


def other_kernel(path: Path) -> None:
    path.write_bytes((path.parent / kept.file_name("scale_to_words")).read_bytes())


def folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe_in_its_place(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "only a checksum": lambda path: path.write_bytes(path.read_bytes()[:32]),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "a flipped bit": lambda path: path.write_bytes(path.read_bytes()[:-9] + b"\xff" + path.read_bytes()[-8:]),
    "another kernel": other_kernel,
    "text": lambda path: path.write_text("hello\n" * 99),
    "a folder": folder_in_its_place,
    "a pipe": pipe_in_its_place,
    "a dead link": lambda path: (path.unlink(), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_cache(damage: str, small_file: Path, right: dict[str, bytes], run: Run, compiled: Compiled) -> None:
    """A file that is not what it should be is compiled anew, and replaced if it can be; the others are used."""
    DAMAGE[damage](small_file)
    result = run()
    assert result.status == 0, result.err
    assert result.files == right
    assert compiled() == [SMALL]
    assert result.err == "nanoBragg: compiling the kernels for this processor (once) ...\n"
    assert leftovers(small_file.parent) == []
    if damage != "a folder":
        assert kept.read(SMALL) is not None


def test_what_is_in_order_is_used(cache: Path, right: dict[str, bytes], run: Run, compiled: Compiled) -> None:
    result = run()
    assert (result.status, result.err, result.files, compiled()) == (0, "", right, [])


@pytest.mark.parametrize("cache_is", ["read-only", "full", "no folder", "without a home"])
def test_what_cannot_be_kept(
    cache_is: str, small_file: Path, right: dict[str, bytes], run: Run, compiled: Compiled
) -> None:
    """It is compiled for this run alone, and said so where that is known before."""
    small_file.unlink()
    cache = small_file.parent

    def before() -> None:
        if cache_is == "read-only":
            os.access = lambda path, mode: path != cache
        elif cache_is == "full":
            real = os.replace
            os.replace = lambda old, new: real(old, new if cache not in Path(new).parents else "/no/such/folder")
        elif cache_is == "no folder":
            os.environ["NANOBRAGG_CACHE"] = str(cache / kept.file_name("add_up"))
        else:
            del os.environ["NANOBRAGG_CACHE"]
            os.environ.pop("XDG_CACHE_HOME", None)
            os.path.expanduser = lambda path: path

    result = run(before)
    assert result.status == 0, result.err
    assert result.files == right
    assert SMALL in compiled()
    assert not small_file.exists()
    assert leftovers(cache) == []
    if cache_is != "full":
        where = {"read-only": cache, "no folder": cache / kept.file_name("add_up"), "without a home": "a home folder"}
        assert result.err.startswith(
            f"nanoBragg: compiling the kernels for this processor (each time: they cannot be kept in {where[cache_is]})"
        )


def test_two_processes_compile_at_once(small_file: Path, tmp_path: Path, right: dict[str, bytes]) -> None:
    """Each gets its answer, and one file is left in the cache."""
    small_file.unlink()
    folders = [tmp_path / name for name in "ab"]
    processes = [start(LINE, folder) for folder in folders]
    for process, folder in zip(processes, folders, strict=True):
        _, err = process.communicate(timeout=100)
        assert process.returncode == 0, err
        assert err.count(b"\n") <= 1
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == right
    assert kept.read(SMALL) is not None
    assert leftovers(small_file.parent) == []


# --- files that nobody needs ---


def aged(path: Path, days: float) -> Path:
    """Let a file look as if it was last used so many days ago."""
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))
    return path


def test_superseded_files_are_removed(cache: Path, all_code: dict[str, bytes]) -> None:
    """By age alone, so that what other versions use is kept; and nothing that the cache did not make."""
    names = {
        f"add_up-{'0' * 24}-{'1' * 8}.o": 59,
        f"add_up-{'2' * 24}-{'1' * 8}.o": 61,
        f"render_square_tricubic-{'3' * 32}.o": 61,
        ".new-0011": 1 / 25,
        ".new-0022": 1 / 23,
        "README": 1000,
        "notes-of-mine.o": 1000,
        "add_up.c": 1000,
    }
    for name, days in names.items():
        (cache / name).write_bytes(b"anything")
        aged(cache / name, days)
    before = {path.name for path in cache.iterdir()}
    kept.write(SMALL, all_code[SMALL])
    gone = before - {path.name for path in cache.iterdir()}
    assert gone == {f"add_up-{'2' * 24}-{'1' * 8}.o", f"render_square_tricubic-{'3' * 32}.o", ".new-0022"}


def test_file_in_use_is_kept(small_file: Path, run: Run, right: dict[str, bytes], compiled: Compiled) -> None:
    """However old it is; that it is used is noted once a day, and others are looked at then."""
    other = small_file.parent / f"add_up-{'2' * 24}-{'1' * 8}.o"
    other.write_bytes(b"anything")
    aged(other, 100)
    aged(small_file, 0.9)
    before = small_file.stat().st_mtime
    assert run().files == right
    assert small_file.stat().st_mtime == before
    assert other.exists()
    aged(small_file, 99)
    result = run()
    assert (result.files, compiled()) == (right, [])
    assert time.time() - small_file.stat().st_mtime < 60
    assert not other.exists()


# --- folders and files that others could have written ---


def belongs_to_somebody(path: Path) -> None:
    """Let a file or folder look as if it were somebody else's, whoever runs the tests."""
    real = {name: getattr(os, name) for name in ("lstat", "fstat")}
    wanted = path.lstat().st_ino

    def changed(name: str) -> Callable[..., os.stat_result]:
        def status(*arguments: object) -> os.stat_result:
            found = real[name](*arguments)
            return os.stat_result([*found[:4], SOMEBODY, *found[5:]]) if found.st_ino == wanted else found

        return status

    for name in real:
        setattr(os, name, changed(name))


def through_a_link(cache: Path) -> Path:
    link = cache.parent / "link"
    link.symlink_to(cache)
    os.environ["NANOBRAGG_CACHE"] = str(link)
    return link


DISTRUST: dict[str, tuple[Callable[[Path], object], str]] = {
    "everybody's": (lambda cache: cache.chmod(0o777), "others can write to the folder"),
    "everybody's, as /tmp": (lambda cache: cache.chmod(0o1777), "others can write to the folder"),
    "a group's": (lambda cache: (cache.chmod(0o775), os.chown(cache, -1, group_of_others())), "others can write to"),
    "somebody's": (belongs_to_somebody, f"the folder belongs to another user (number {SOMEBODY})"),
    "in everybody's folder": (lambda cache: cache.parent.chmod(0o777), "everyone can write to "),
    "behind somebody's link": (lambda cache: belongs_to_somebody(through_a_link(cache)), "/link belongs to another"),
}


def group_of_others() -> int:
    """A group that is not this user's alone, and that this user may give a file to."""
    for group in (*os.getgroups(), *range(1, 100)):
        may_give = os.geteuid() == 0 or group in os.getgroups()
        if may_give and not trust._is_of_one(group, os.geteuid()):
            return group
    pytest.skip("no group of others")


@pytest.mark.parametrize("whose", DISTRUST)
def test_folder_that_others_can_write(
    whose: str, cache: Path, right: dict[str, bytes], run: Run, compiled: Compiled
) -> None:
    """Nothing from there is run and nothing is put there; the reason is said once."""
    spoil, reason = DISTRUST[whose]
    if whose == "a group's":
        spoil(cache)
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    result = run(lambda: whose == "a group's" or spoil(cache))
    assert (result.status, result.files) == (0, right), result.err
    assert {"render_square", "render_pixels", SMALL} <= set(compiled())
    warning, note, *rest = result.err.splitlines()
    assert warning.startswith("nanoBragg: warning: compiled kernels in ") and reason in warning
    assert warning.endswith("; they are compiled for this run alone")
    assert "compiling the kernels for this processor (each time" in note
    assert rest == []
    assert before == {path: path.stat().st_mtime_ns for path in cache.iterdir()}


@pytest.mark.parametrize("whose", ["everybody's", "somebody's"])
def test_file_that_others_can_write(
    whose: str, small_file: Path, right: dict[str, bytes], run: Run, compiled: Compiled
) -> None:
    """It is compiled anew, and replaced."""
    before = small_file.stat().st_ino
    result = run(lambda: small_file.chmod(0o666) if whose == "everybody's" else belongs_to_somebody(small_file))
    assert (result.status, result.files) == (0, right), result.err
    assert compiled() == [SMALL]
    assert f"warning: the compiled kernel {small_file} is not used, because " in result.err
    assert result.err.count("\n") == 2
    assert small_file.stat().st_ino != before
    assert stat.S_IMODE(small_file.stat().st_mode) == 0o644


TRUST: dict[str, Callable[[Path], object]] = {
    "nobody may write": lambda cache: cache.chmod(0o555),
    "in a folder like /tmp": lambda cache: cache.parent.chmod(0o1777),
    "in a group's folder": lambda cache: cache.parent.chmod(0o775),
    "behind our link": through_a_link,
    "the program's owner's": lambda cache: (
        belongs_to_somebody(cache),
        setattr(trust, "_trusted_users", lambda: frozenset((os.geteuid(), SOMEBODY))),
    ),
    "our own group's": lambda cache: (
        cache.chmod(0o775),
        setattr(trust, "_is_of_one", lambda group, user: user == os.geteuid()),
    ),
}


@pytest.mark.parametrize("whose", TRUST)
def test_folder_that_is_trusted(whose: str, cache: Path, right: dict[str, bytes], run: Run, compiled: Compiled) -> None:
    """Made beforehand and closed to others, wherever it is."""
    result = run(lambda: TRUST[whose](cache))
    assert (result.status, result.err, result.files, compiled()) == (0, "", right, [])


def test_users_whose_code_is_run() -> None:
    assert trust._trusted_users() == {os.geteuid(), 0, os.stat(trust.__file__).st_uid}


def test_a_group_of_one() -> None:
    """The group that has the user's name and no other member."""
    import grp
    import pwd

    for user in pwd.getpwall()[:30]:
        for group in grp.getgrall()[:60]:
            alone = group.gr_name == user.pw_name and not set(group.gr_mem) - {user.pw_name}
            assert trust._is_of_one(group.gr_gid, user.pw_uid) == alone
    assert not trust._is_of_one(54321, os.geteuid())


def test_links_that_lead_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "too many links" in trust.why_not_trusted(tmp_path / "a")


def test_steps_are_those_of_the_system(tmp_path: Path) -> None:
    """Links to links, up and down, end where the system says."""
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "up").symlink_to("..")
    (tmp_path / "x" / "y" / "far").symlink_to("../up/./x//y")
    (tmp_path / "near").symlink_to(tmp_path / "x" / "up" / "x" / "y" / "far")
    steps = [Path(path) for path, _ in trust._steps(tmp_path / "near")]
    links = [path for path in steps if path.is_symlink() and tmp_path in path.parents]
    assert [path.name for path in links] == ["near", "up", "far", "up"]
    assert steps[-1].samefile(tmp_path / "near") and not steps[-1].is_symlink()
    assert trust.why_not_trusted(tmp_path / "near") == ""


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077])
def test_what_is_made_is_for_us_to_write(mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the user's mask says."""
    monkeypatch.setenv("NANOBRAGG_CACHE", str(tmp_path / "new" / "cache"))
    before = os.umask(mask)
    try:
        kept.write(SMALL, b"code")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "cache").stat().st_mode) == 0o755 & ~mask
    assert stat.S_IMODE((tmp_path / "new" / "cache" / kept.file_name(SMALL)).stat().st_mode) == 0o644 & ~mask


# --- without Numba ---


def test_without_numba_what_is_kept_is_used(
    small_file: Path, all_code: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever version of it has compiled that; no other part of the name may differ."""
    monkeypatch.setattr(kept, "numba_mark", lambda: None)
    assert kept.read(SMALL) == all_code[SMALL]
    small_file.rename(small_file.with_name(small_file.name.replace(fingerprint.fingerprint(), "0" * 24)))
    assert kept.read(SMALL) is None


if sys.platform == "win32":
    pytest.skip("owners and modes are those of Unix", allow_module_level=True)
