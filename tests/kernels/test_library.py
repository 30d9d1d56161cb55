"""The kernels' library: a table of prototypes, code that needs the C library only, compilers that nothing disturbs."""

from __future__ import annotations

import ctypes
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from kernels_in_use import LINE, SMALL, start
from numba import types

from nanobragg_py.base.errors import InputError
from nanobragg_py.kernels import entry
from nanobragg_py.kernels.library import address, compile, kernel, processes
from nanobragg_py.kernels.library import cache as kept
from nanobragg_py.kernels.library.signatures import COMMON, PROTOTYPES, signature

# --- one table, and both sides of it ---


def test_every_kernel_has_a_prototype() -> None:
    assert set(entry.KERNELS) == set(PROTOTYPES)
    assert set(COMMON) < set(PROTOTYPES)


@pytest.mark.parametrize("name", PROTOTYPES)
def test_arguments_have_the_names_of_the_table(name: str) -> None:
    assert list(inspect.signature(entry.KERNELS[name]).parameters) == list(signature(name).arguments)


C_TYPES = {types.void: None, types.int64: ctypes.c_int64, types.float64: ctypes.c_double}


@pytest.mark.parametrize("name", PROTOTYPES)
def test_caller_and_compiler_agree(name: str) -> None:
    """ctypes' view of a kernel and Numba's, argument by argument."""
    for_caller = signature(name).c_function(0)
    for_compiler = compile.numba_signature(name)
    assert for_caller.restype is C_TYPES[for_compiler.return_type]
    assert len(for_caller.argtypes) == len(for_compiler.args)
    for ours, numbas in zip(for_caller.argtypes, for_compiler.args, strict=True):
        assert ours is (ctypes.c_void_p if isinstance(numbas, types.CPointer) else C_TYPES[numbas])


@pytest.mark.parametrize("name", [SMALL, "squared_deviations", "read_plain_list"])
def test_code_has_the_arguments_of_the_table_and_no_hidden_ones(name: str) -> None:
    """Asked of LLVM."""
    callback = numba.cfunc(compile.numba_signature(name), error_model="numpy")(entry.KERNELS[name])
    function = llvm.parse_assembly(callback.inspect_llvm()).get_function(callback.native_name)
    found = ["ptr" if "*" in str(a.type) else str(a.type) for a in function.arguments]
    words = {"int64": "i64", "float64": "double"}
    assert found == [words.get(kind, "ptr") for kind in signature(name).arguments.values()]


def test_types_of_the_table_are_as_wide_as_they_say() -> None:
    for word, found in compile._TYPES.items():
        if word[-1].isdigit():
            assert found.bitwidth == int(word.lstrip("uintfloa"))
            assert str(found) == word


def test_call() -> None:
    values = np.array([[0.0, 1.4, 2.6], [-1.0, 70000.0, 3.0]], dtype=np.float32)
    words = np.zeros(values.shape, dtype=np.uint16)
    assert kernel("scale_to_words")(address(values), address(words), values.size, 2.0, 10.0) is None
    assert words.tolist() == [[10, 13, 15], [8, 65535, 16]]
    with pytest.raises(ValueError, match="contiguous"):
        address(values[:, ::2])
    assert address(None) is None
    with pytest.raises(ctypes.ArgumentError):
        kernel("scale_to_words")(values, address(words), values.size, 2.0, 10.0)


# --- code ---


def test_kernel_that_may_raise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that would call into the interpreter, from a thread that does not hold it, is not made."""

    def raising(values, grey, count, scale):
        if scale < 0.0:
            raise ValueError("negative")

    monkeypatch.setitem(entry.KERNELS, SMALL, raising)
    with pytest.raises(compile.NotSelfContained, match="PyErr"):
        compile.object_code(SMALL)


def test_same_code_each_time(all_code: dict[str, bytes]) -> None:
    """Whatever else a process has compiled before: a cache that is filled anew is the same, byte for byte."""
    one, _ = processes.object_codes([[SMALL], ["squared_deviations", SMALL]])
    assert one[SMALL] == all_code[SMALL] == processes.object_codes([[SMALL]])[0][SMALL]


# --- compilers ---

NUMBA_FIRST = "import numba; numba.njit(lambda x: x + 1)(1)"
DISTURBANCES: dict[str, tuple[str, dict[str, str]]] = {
    "environment": (
        "",
        {
            "NUMBA_DISABLE_JIT": "1",
            "NUMBA_BOUNDSCHECK": "1",
            "NUMBA_OPT": "0",
            "NUMBA_DISABLE_INTEL_SVML": "0",
            "NUMBA_CPU_NAME": "x86-64",
            "NUMBA_CPU_FEATURES": "",
            "PYTHONWARNINGS": "error::DeprecationWarning",
        },
    ),
    "Numba disabled and in use": (NUMBA_FIRST, {"NUMBA_DISABLE_JIT": "1"}),
    "Numba told otherwise": (f"{NUMBA_FIRST}; numba.config.OPT = 0; numba.config.BOUNDSCHECK = 1", {}),
    "files in the user's folder": (
        "import os, sys; sys.path.remove(''); os.mkdir('numba'); open('llvmlite.py', 'w').write('raise SystemExit')\n"
        "open('.numba_config.yaml', 'w').write('disable_jit: 1\\nopt: 0\\n')",
        {},
    ),
}


@pytest.mark.parametrize("what", DISTURBANCES)
def test_nothing_disturbs_the_compiler(
    what: str, small_file: Path, tmp_path: Path, right: dict[str, bytes], all_code: dict[str, bytes]
) -> None:
    """The code that is compiled, and kept for others, is always the same."""
    small_file.unlink()
    code, environment = DISTURBANCES[what]
    process = start(LINE, tmp_path / "run", code, **environment)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    written = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.name in right}
    assert written == right
    assert kept.read(SMALL) == all_code[SMALL]


def compiled_by(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of ours that runs `code` and then loads the small kernel."""
    program = f"import sys\n{code}\nfrom nanobragg_py.kernels.library import kernel\nkernel({SMALL!r})\n"
    program += "print('numba' in sys.modules)\n"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, env=os.environ | environment
    )


def test_compiling_leaves_this_process_alone(small_file: Path) -> None:
    """Numba is imported elsewhere."""
    small_file.unlink()
    done = compiled_by("")
    assert done.stdout == "False\n", done.stderr
    assert small_file.exists()


@pytest.fixture
def broken_interpreter(tmp_path: Path) -> str:
    """What may stand for an interpreter, and is none."""
    path = tmp_path / "python-of-another-kind"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("interpreter", ["", "/no/python", "broken"])
def test_without_another_interpreter(
    interpreter: str, small_file: Path, all_code: dict[str, bytes], broken_interpreter: str
) -> None:
    """Code is compiled in this process then, and kept."""
    small_file.unlink()
    interpreter = broken_interpreter if interpreter == "broken" else interpreter
    done = compiled_by(f"sys.executable = {interpreter!r}")
    assert done.stdout == "True\n", done.stderr
    assert kept.read(SMALL) == all_code[SMALL]


def test_without_another_interpreter_and_numba_in_use(small_file: Path) -> None:
    """Who knows what it has been told: compiled, and not kept."""
    small_file.unlink()
    done = compiled_by(f"sys.executable = ''; {NUMBA_FIRST}")
    assert done.stdout == "True\n", done.stderr
    assert not small_file.exists()


def test_without_another_interpreter_and_numba_disabled(small_file: Path) -> None:
    small_file.unlink()
    done = compiled_by(f"sys.executable = ''; {NUMBA_FIRST}", NUMBA_DISABLE_JIT="1")
    assert done.stderr.endswith("InputError: NUMBA_DISABLE_JIT is set, so that no kernel can be compiled\n")


ANSWERS = {
    "nothing": "",
    "another fingerprint": "0{name} 3\nabc",
    "no size": "{name} three\nabc",
    "too little": "{name} 4\nabc",
    "another kernel": "{other} 3\nabc",
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_answer_of_another_version_is_not_taken(answer: str) -> None:
    """As when sources change, or another interpreter finds other packages."""
    name, other = kept.file_name(SMALL), kept.file_name("add_up")
    assert processes._taken_apart(f"{name} 3\nabc".encode(), [SMALL]) == {SMALL: b"abc"}
    with pytest.raises(processes._Failed):
        processes._taken_apart(ANSWERS[answer].format(name=name, other=other).encode(), [SMALL])


@pytest.mark.parametrize("name", ["foo", "i486", "haswel\x1b[31m", "x" * 300])
def test_unknown_processor(name: str, cache: Path, tmp_path: Path) -> None:
    """LLVM would end the process."""
    process = start(LINE, tmp_path / "run", NANOBRAGG_PROCESSOR=name)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 9, err
    says = err.decode().splitlines()[-1]
    assert says.startswith("nanoBragg: error: NANOBRAGG_PROCESSOR=") and "expected a name that it knows" in says
    assert len(says) < 300 and says.isprintable()


def test_processor_without_another_interpreter(cache: Path) -> None:
    """Nobody could find out what LLVM does with that name."""
    done = compiled_by("sys.executable = ''", NANOBRAGG_PROCESSOR="foo")
    assert "InputError: NANOBRAGG_PROCESSOR is set, and no other Python interpreter could compile" in done.stderr


def test_numba_that_fails(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """In whatever way: a message."""
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setattr(compile, "object_code", lambda name: json.loads("{"))
    with pytest.raises(InputError, match=f"the kernel {SMALL} cannot be compiled: Expecting property name"):
        processes.object_codes([[SMALL]])
