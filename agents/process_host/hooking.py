"""Hooks on a process host: ordered of the supervisor, awaited here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from agents.process_host.control import Control
from agents.process_host.errands import WELL, file_of, how_ended, number_of
from agents.process_host.folder import TargetFolder
from agents.process_host.housekeeping import tail
from agents.process_host.place import Orderer
from agents.process_host.records import Errand, RunSpec
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.domain.fence import Claim, require_highest

LOOK_EVERY: Final = 0.2
SLACK: Final = 30.0
LINES: Final = 200
LENGTH: Final = 16_000


@dataclass(slots=True)
class Hooks:
    """Those of one task, in start order. `printed`: what each printed, masked, by its id."""

    folder: TargetFolder
    control: Control
    claim: Claim
    orderer: Orderer
    errands: Sequence[tuple[Errand, RunSpec]]
    printed: dict[str, str] = field(default_factory=dict)

    def quiet(self) -> None:
        """End and forget what earlier deployments left."""
        if any(number_of(path) < self.claim.number for path in self.folder.errands.glob("*")):
            self.control.forget_errands(self.claim)

    def run(self, when: str) -> None:
        """One after the other. Raises Refused (hook_failed)."""
        for errand, plan in self.errands:
            if errand.when == when:
                self._begin(errand, plan)
                self._judge(errand, self._end(errand))

    def _begin(self, errand: Errand, plan: RunSpec) -> None:
        if not file_of(self.folder, self.claim, errand.id).exists():
            secrets = self.orderer.secrets(errand.component) if plan.secrets else {}
            with starting(errand):
                self.control.errand(self.claim, errand.id, plan, errand.timeout, secrets)
            self.orderer.reach("after_hook_start")

    def _end(self, errand: Errand) -> str:
        path = file_of(self.folder, self.claim, errand.id)
        until = time.monotonic() + errand.timeout + SLACK
        while (end := how_ended(path)) is None:
            self.orderer.beat()
            require_highest(self.claim, self.folder.list_claims())
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"nobody says how {errand.id} has ended")
            time.sleep(LOOK_EVERY)
        return end

    def _judge(self, errand: Errand, end: str) -> None:
        log = file_of(self.folder, self.claim, errand.id).with_suffix(".log")
        said = self.orderer.mask_output(tail(log, 0, LINES, LENGTH))
        self.printed[errand.id] = said
        require_well(errand, end, said)


def require_well(errand: Errand, end: str, printed: str) -> None:
    """Raise Refused (hook_failed), unless it has ended as it should. `printed`: its last words, masked."""
    if end != WELL:
        raise _failed(errand, end, printed)


@contextmanager
def starting(errand: Errand) -> Iterator[None]:
    """While it is looked for and started: that it cannot be is its failure, and not its component's."""
    try:
        yield
    except Refused as refused:
        if refused.code != Code.START_FAILED:
            raise
        raise _failed(errand, f"cannot be started: {refused.detail}", hint=refused.hint) from refused


def _failed(errand: Errand, what: str, printed: str = "", hint: str | None = None) -> Refused:
    words = f"; its last words:\n{printed}" if printed else ""
    detail = f"{errand.component}: the {errand.when} hook {errand.name} {what}{words}"
    fields = {"component": errand.component, "hook": errand.name, "when": errand.when, "log": printed}
    return Refused(Code.HOOK_FAILED, detail, hint=hint, fields=fields)
