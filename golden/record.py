"""Check the golden data with a C program, or record it anew.

golden/record.py --reference nanoBragg [--trace-reference nanoBragg_trace] [--update] [case ...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import goldenlib


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, help="the C program")
    parser.add_argument("--trace-reference", type=Path, help="its trace-instrumented copy")
    parser.add_argument("--update", action="store_true", help="record instead of checking")
    parser.add_argument("cases", nargs="*", help="names of cases (all if none)")
    return parser.parse_args()


def choose_cases(names: list[str]) -> list[goldenlib.Case]:
    """Return the named cases, or all."""
    cases = goldenlib.load_cases()
    unknown = [name for name in names if name not in cases]
    if unknown:
        sys.exit(f"no such case: {' '.join(unknown)}")
    return [cases[name] for name in names or cases]


def run_reference(program: Path, case: goldenlib.Case) -> goldenlib.Result:
    """Run the C program on a case in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return goldenlib.run_case([str(program.resolve())], case.words, case, Path(folder))


def check_or_record(program: Path, case: goldenlib.Case, update: bool) -> list[str]:
    """Record the case, or list what differs from the record."""
    result = run_reference(program, case)
    if not update:
        return goldenlib.compare(goldenlib.load_expected(case), result)
    goldenlib.save_expected(case, result)
    return []


def main() -> int:
    """Go through the cases; 1 if any differs."""
    options = parse_arguments()
    programs = {"main": options.reference, "trace": options.trace_reference}
    cases = choose_cases(options.cases)
    passed = failed = 0
    for case in cases:
        program = programs[case.reference]
        if program is None:
            print(f"{case.name}: left out (needs --trace-reference)")
            continue
        problems = check_or_record(program, case, options.update)
        passed, failed = passed + (not problems), failed + bool(problems)
        print("\n".join([f"{case.name}: {'FAILED' if problems else 'ok'}", *problems]), flush=True)
    if options.update and not options.cases:
        goldenlib.save_c_library()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
