"""Runs on the host: does what a worker asks over standard input and output, and nothing when the worker has gone.

One JSON object per line each way. The worker orders ({"do": ...}) and gets {"done": ...} or {"error": ...}; meanwhile we ask it whether to
go on ({"ask": ...}) and wait for its answer. So a worker that was killed or cut off is one that does not answer: the work ends at its next
question, in the state that a killed worker leaves, and the next attempt takes it up. A line now and then says that we are alive.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Final

from agents.process_host.lookup import Lookup, User, search_path
from agents.process_host.place import Stage
from agents.process_host.records import job
from agents.process_host.site import Site
from agents.ssh_host import systemd
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError
from fairlead.domain.fence import Claim

ALIVE_EVERY: Final = 5.0
ASK_EVERY: Final = 0.25
PATIENCE: Final = 300.0
"""For an answer; a secret may come from far away."""
IDLE: Final = 3600.0
"""For the next order; an image may take long to be pulled."""

Order = Mapping[str, Any]


class Gone(BaseException):
    """The worker does not answer any more. Not an Exception: no error handling of ours may go on."""


class Line:
    """Standard input and output."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._writing = threading.Lock()

    def read(self, patience: float) -> dict[str, Any]:
        """The next line. Raises Gone."""
        while b"\n" not in self._unread:
            self._unread += self._some(65536, patience)
        line, _, rest = bytes(self._unread).partition(b"\n")
        self._unread = bytearray(rest)
        value: dict[str, Any] = json.loads(line)
        return value

    def copy(self, size: int, to: BinaryIO | None) -> None:
        """So many bytes as they come. All are taken, also when they cannot be kept: else the worker would not hear why."""
        failure: OSError | None = None
        while size:
            piece = bytes(self._unread[:size]) or self._some(min(size, 1 << 20), PATIENCE)
            del self._unread[: len(piece)]
            size -= len(piece)
            try:
                if to is not None and failure is None:
                    to.write(piece)
            except OSError as error:
                failure = error
        if failure is not None:
            raise failure

    def write(self, value: object) -> None:
        """One line. Raises Gone."""
        data = json.dumps(value).encode() + b"\n"
        try:
            with self._writing:
                while data:
                    data = data[os.write(1, data) :]
        except OSError as error:
            raise Gone from error

    def _some(self, most: int, patience: float) -> bytes:
        if not select.select([0], [], [], patience)[0]:
            raise Gone
        piece = os.read(0, most)
        if not piece:
            raise Gone
        return piece


class Far:
    """place.Orderer: the worker at the other end."""

    def __init__(self, line: Line) -> None:
        self._line, self._asked = line, 0.0

    def beat(self) -> None:
        """Ask whether to go on, now and then."""
        if time.monotonic() - self._asked >= ASK_EVERY:
            self._ask("beat")

    def reach(self, name: str) -> None:
        """Say where we are, and wait until we may go on."""
        self._ask("reach", name)

    def secrets(self, component: str) -> dict[str, str]:
        """What a component is given."""
        return dict(self._ask("secrets", component))

    def mask_output(self, text: str) -> str:
        """Only the worker knows what to mask."""
        return str(self._ask("mask", text))

    def _ask(self, what: str, about: str = "") -> Any:
        self._line.write({"ask": what, "about": about})
        answer = self._line.read(PATIENCE)
        self._asked = time.monotonic()
        return answer["said"]


class Session:
    """One worker's visit."""

    def __init__(self, line: Line, site: Site, restart: str | None) -> None:
        self._line, self._site, self._far = line, site, Far(line)
        self._orders: dict[str, Callable[[Order], Any]] = {
            "missing": lambda o: site.missing(job(o["job"])),
            "stage": self._stage,
            "prepare": self._prepare,
            "apply": lambda o: asdict(site.apply(job(o["job"]), Claim.parse(o["claim"]), self._far)),
            "observe": lambda o: asdict(site.observe(o["owner"])),
            "fitness": lambda o: {**site.fitness(), "restart": restart},
            "logs": lambda o: site.logs(o["owner"], o["component"], o["lines"]),
            "retire": lambda o: site.retire(o["owner"], Claim.parse(o["claim"]), self._far),
            "hand_over": lambda o: site.hand_over(o["owner"], Claim.parse(o["claim"]), self._far),
            "read_sticker": lambda o: site.read_sticker(o["owner"]),
            "write_sticker": lambda o: site.write_sticker(o["owner"], o["record"], Claim.parse(o["claim"])),
        }

    def run(self) -> None:
        """Until the worker leaves."""
        while True:
            self._answer(self._line.read(IDLE))

    def _answer(self, order: Order) -> None:
        try:
            answer = {"done": self._orders[order["do"]](order)}
        except FairleadError as error:
            kind = type(error).__name__
            answer = {
                "error": {
                    "kind": kind,
                    "code": error.code,
                    "detail": error.detail,
                    "hint": error.hint,
                    "fields": error.fields,
                }
            }
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            detail = f"{type(error).__name__}: {error}"
            answer = {"error": {"kind": "Unavailable", "code": Code.TARGET_UNREACHABLE, "detail": detail}}
        self._line.write(answer)

    def _prepare(self, order: Order) -> None:
        systemd.require_lasting()
        self._site.prepare(job(order["job"]))

    def _stage(self, order: Order) -> None:
        """Take layers until all are there; a worker that gives up leaves without a word."""
        with self._site.staging(self._far) as stage:
            self._line.write({"done": None})
            while (order := self._line.read(IDLE))["do"] == "layer":
                self._layer(stage, order)
                self._line.write({"done": None})
            stage.publish(order["commands"])

    def _layer(self, stage: Stage, order: Order) -> None:
        taken: list[bool] = []

        def fill(file: BinaryIO) -> None:
            taken.append(True)
            self._line.copy(order["size"], file)

        try:
            stage.layer(order["digest"], order["media_type"], fill)
        except OSError:
            if not taken:
                self._line.copy(order["size"], None)
            raise


def serve(program: Path, root: Path) -> None:
    """Say who we are, then do what is asked."""
    line = Line()
    keeping = systemd.Keeping(program)
    site = Site(
        root, Lookup(User.of_applications(), search_path(os.environ.get("PATH", ""))), keeping.launch, keeping.forget
    )
    try:
        line.write(
            {"hello": 1, "platform": site.platform, "python": sys.version.split()[0], "systemd": keeping.by_systemd}
        )
        threading.Thread(target=_say_alive, args=(line,), daemon=True).start()
        Session(line, site, keeping.restart).run()
    except Gone:
        return


def _say_alive(line: Line) -> None:
    while True:
        time.sleep(ALIVE_EVERY)
        try:
            line.write({"alive": 1})
        except Gone:
            return
