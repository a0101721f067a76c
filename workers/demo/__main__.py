"""`make demo`: choose the targets, set the stage, tell the story, print one JSON line."""

import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from workers.demo.eyes import DockerEyes, Eyes, ProcessEyes
from workers.demo.show import Show
from workers.demo.stage import ROOT, Stage, choose, engine_socket
from workers.demo.story import Story
from workers.local_engine import LocalEngine, LocalRegistry
from workers.packages import ensure, how_to_get

Part = TypeVar("Part", LocalEngine, LocalRegistry)


def main() -> int:
    """Exit 0 only if every check held."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    choice = choose(os.environ.get("ON"))
    show = Show()
    show.say(f"targets: {choice.on} ({choice.why})")
    if choice.on == "docker":
        engine = [] if engine_socket() else ["docker.io"]
        missing = ensure([*engine, "docker-registry", "busybox-static"], show.say)
        if missing:
            sys.stderr.write(f"ON=docker needs them: {how_to_get(missing)}\n")
            return 1
    keep = ROOT / "build" / "demo"
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir(parents=True)
    with ExitStack() as closing:
        return _perform(choice.on, show, keep, closing)


def _perform(on: str, show: Show, keep: Path, closing: ExitStack) -> int:
    scratch = Path(tempfile.mkdtemp(prefix="fairlead-demo-"))
    scratch.chmod(0o755)  # applications of process hosts run as another user
    leave = ExitStack() if stays() else closing
    leave.callback(shutil.rmtree, scratch, ignore_errors=True)
    ok = False
    stage, eyes = _set(on, scratch, leave)
    try:
        with show.running():
            _begin(stage, show)
            Story(stage, show, eyes, keep).tell()
            if stays():
                _look_around(stage, show)
        ok = True
    except Exception as failure:  # whatever it is, the audience is told, and the last line is printed
        show.end()
        traceback.print_exception(failure)
        shutil.copy(scratch / "system.log", keep / "system.log")
    show.end()
    print(json.dumps(_result(ok, on, show, stage, keep)))  # noqa: T201 - the one line that programs read
    return 0 if ok else 1


def _set(on: str, scratch: Path, closing: ExitStack) -> tuple[Stage, Eyes]:
    if on == "process":
        stage = Stage(on, scratch)
        closing.callback(stage.clean_up)
        return stage, ProcessEyes(stage.data / "hosts")
    socket = engine_socket() or str(_running(LocalEngine(scratch / "engine", bound=not stays()), closing).socket)
    registry = _running(LocalRegistry(scratch / "registry", bound=not stays()), closing).address
    stage = Stage(on, scratch, registry=registry, socket=socket)
    closing.callback(stage.clean_up)
    return stage, DockerEyes(socket)


def _running(part: Part, closing: ExitStack) -> Part:
    part.start()
    closing.callback(part.stop)
    return part


def _begin(stage: Stage, show: Show) -> None:
    show.step(1, "The system starts: Postgres, Temporal with its Web UI, worker and API")
    stage.start()
    show.say(f"API          {stage.url}")
    show.say(f"Temporal UI  {stage.processes['temporal']['ui']}")


def stays() -> bool:
    """Whether everything is left running to look around."""
    return os.environ.get("KEEP") == "1"


def _look_around(stage: Stage, show: Show) -> None:
    stage.start()
    show.step(10, "Everything stays, to look around")
    show.say(f"export FAIRLEAD_URL={stage.url} FAIRLEAD_PROJECT=shop FAIRLEAD_KEY=$(cat {stage.data}/admin.key)")
    show.say(f"Temporal UI  {stage.temporal_ui}")
    show.say(f"to end it: kill {stage.processes['dev']['pid']}, then remove {stage.scratch}")


def _result(ok: bool, on: str, show: Show, stage: Stage, keep: Path) -> dict[str, object]:
    return {
        "demo": "ok" if ok else "failed",
        "on": on,
        "checks": show.checks,
        "seconds": show.seconds,
        "temporal_ui": stage.temporal_ui,
        "dashboard": None,
        "bundle": str(keep / "shop-1.1.0-prod.fairlead.json"),
        "trust": str(keep / "shop-trust.json"),
    }


if __name__ == "__main__":
    sys.exit(main())
