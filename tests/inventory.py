"""The committed inventory of tests, so that none vanishes unseen: `python -m tests.inventory --check | --write`."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
INVENTORY = Path(__file__).parent / "inventory.txt"


def collect() -> list[str]:
    """`<file>::<test> <number of cases>` for every test that pytest finds, soak tests included."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "--disable-warnings",
            "-o",
            "addopts=-p no:cacheprovider",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "FAIRLEAD_SOAK": "1"},
        check=False,
    )
    if run.returncode:
        sys.exit(f"the tests cannot be collected:\n{run.stdout[-4000:]}{run.stderr[-2000:]}")
    return tally(run.stdout)


def tally(output: str) -> list[str]:
    """The inventory's lines from what `pytest --collect-only -q` printed, with or without a line for each case."""
    ids = [re.sub(r"\[.*\]$", "", line) for line in output.splitlines() if "::" in line]
    return [f"{test} {cases}" for test, cases in sorted(Counter(ids).items())]


def main() -> int:
    """Write the inventory, or say how what is collected differs from it."""
    found = collect()
    if "--write" in sys.argv:
        INVENTORY.write_text("\n".join(found) + "\n")
        return 0
    kept = set(INVENTORY.read_text().splitlines())
    differences = [f"gone: {t}" for t in sorted(kept - set(found))] + [f"new:  {t}" for t in sorted(set(found) - kept)]
    for line in differences:
        sys.stderr.write(line + "\n")
    if differences:
        sys.stderr.write("tests and tests/inventory.txt differ; if that is meant: python -m tests.inventory --write\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
