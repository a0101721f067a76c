"""Runs a few lines of Python in a child that may have only so much memory."""

import subprocess
import sys
import textwrap

LIMIT = """
import resource
with open("/proc/self/statm") as sizes:
    now = int(sizes.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + {mebibytes} * 2**20,) * 2)
"""


def bounded(prepare: str, lines: str, *, mebibytes: int) -> str:
    """What the lines print. `prepare` runs without the limit, and imports; then so much may come on top."""
    script = "\n".join(map(textwrap.dedent, (prepare, LIMIT.format(mebibytes=mebibytes), lines)))
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip()
