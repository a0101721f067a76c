"""What scripts/hook.ps1 and scripts/runner.ps1 promise. A hook's program is really run, as a script of this machine's shell."""

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.doubles.winrm_double.common import Host, Json, read, tail_of
from tests.doubles.winrm_double.windows import Windows

UNSEEN = "ended, nobody saw how"


def hook(
    host: Host,
    Claim: str,
    Do: str,
    Hook: str = "",
    Spec: str = "",
    Runner: str = "",
    Names: Sequence[str] = (),
    Values: Sequence[str] = (),
    Lines: int = 0,
    Most: int = 0,
) -> Json:
    mine = Claim.partition(".")[0]
    at = host.folder / "hooks" / f"{mine}.{Hook}"
    with host.windows.lock(host.target):
        host.assert_highest(Claim)
        if Do == "begin" and not (at / "begun").exists():
            _begin(host.windows, at, Spec, Runner, dict(zip(Names, Values, strict=True)))
        elif Do == "forget":
            _forget(host, int(mine))
        end = _end(host.windows, at) if (at / "begun").exists() else None
    printed = at / "log"
    said = tail_of(printed.read_text(errors="replace"), Lines, Most) if end is not None and printed.exists() else ""
    return {"end": end, "text": said}


def _begin(windows: Windows, at: Path, spec: str, runner: str, given: dict[str, str]) -> None:
    at.mkdir(parents=True)
    (at / "spec.json").write_text(spec)
    (at / "run.ps1").write_text(runner)
    (at / "begun").write_text("")
    # The runner is a thread: what it starts dies with it, and so with the tests.
    windows.runners[at] = threading.Thread(target=_run, args=(windows, at, json.loads(spec), given), daemon=True)
    windows.runners[at].start()


def _run(windows: Windows, at: Path, spec: Json, given: dict[str, str]) -> None:
    program = windows.path(spec["program"])
    words = ["setpriv", "--pdeathsig", "KILL", "/bin/sh", str(program), *taken_apart(spec["arguments"])]
    late = ""
    with (at / "log").open("ab") as log:
        started = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            cwd=windows.path(spec["folder"]), env={"PATH": os.defpath, **given},
        )  # fmt: skip
        windows.begun[at] = started
        try:
            started.wait(spec["timeout"] / 1000)
        except subprocess.TimeoutExpired:
            late = spec["late"]
            end_family(started)
    if at.exists():
        (at / "end.new").write_text(f"{late}exit code {started.returncode}")
        (at / "end.new").rename(at / "end")


def _end(windows: Windows, at: Path) -> str | None:
    runner = windows.runners.get(at)
    alive = runner is not None and runner.is_alive()
    return read(at / "end") or (None if alive else read(at / "end") or UNSEEN)


def _forget(host: Host, mine: int) -> None:
    for path in (host.folder / "hooks").iterdir():
        if int(path.name.partition(".")[0]) < mine:
            shutil.rmtree(path)
            if (started := host.windows.begun.get(path)) and started.poll() is None:
                end_family(started)


def end_family(started: "subprocess.Popen[bytes]") -> None:
    """All that it has begun ends with it."""
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def taken_apart(line: str) -> list[str]:
    """A command line as programs on Windows read it: backslashes mean something before quotation marks only."""
    words: list[str] = []
    word, quoted, begun, slashes = "", False, False, 0
    for char in line + " ":
        if char == "\\":
            slashes += 1
            begun = True
            continue
        word += "\\" * (slashes // 2 if char == '"' else slashes)
        odd, slashes = slashes % 2, 0
        if char == '"' and odd:
            word += char
        elif char == '"':
            quoted, begun = not quoted, True
        elif char in " \t" and not quoted:
            words += [word] if begun else []
            word, begun = "", False
        else:
            word, begun = word + char, True
    return words
