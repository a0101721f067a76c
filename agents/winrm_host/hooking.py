"""Hooks on a WinRM host: each begun there by a script, run by another that stays when we go, and asked about until it has ended."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.process_host.hooking import LENGTH, LINES, SLACK, require_well, starting
from agents.process_host.place import Orderer
from agents.process_host.records import Errand, RunSpec
from agents.winrm_host import scripts
from agents.winrm_host.remote import Remote
from agents.winrm_host.shell import Json
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.domain.fence import Claim

_LOOK_EVERY: Final = 0.5


@dataclass(slots=True)
class Hooks:
    """Those of one task, in start order (place.Around). `left`: what lay there when we came; `printed`: what each printed, masked, by its id."""

    remote: Remote
    target: str
    claim: Claim
    orderer: Orderer
    errands: Sequence[tuple[Errand, RunSpec]]
    left: Sequence[str] = ()
    printed: dict[str, str] = field(default_factory=dict)

    def quiet(self) -> None:
        """End and forget what earlier deployments left."""
        if any(int(name.partition(".")[0]) < self.claim.number for name in self.left):
            self._ask("forget")

    def run(self, when: str) -> None:
        """One after the other. Raises Refused (hook_failed)."""
        for errand, plan in self.errands:
            if errand.when == when:
                said = self._end(errand, self._begun(errand, plan))
                self.printed[errand.id] = self.orderer.mask_output(said["text"])
                require_well(errand, self.orderer.mask_output(said["end"]), self.printed[errand.id])

    def _begun(self, errand: Errand, plan: RunSpec) -> Json:
        """It is, if it has not been for this deployment."""
        secrets = self.orderer.secrets(errand.component) if plan.secrets else {}
        given = {"FAIRLEAD_HOME": plan.home, **plan.env, **secrets}
        told = {
            "program": plan.argv[0],
            "arguments": subprocess.list2cmdline(plan.argv[1:]),
            "folder": plan.cwd,
            "timeout": round(errand.timeout * 1000),
            "late": f"did not end within {errand.timeout:g} s, ",
        }
        with starting(errand):
            said = self._ask(
                "begin", errand, Spec=json.dumps(told), Runner=scripts.script(scripts.RUNNER).text, Names=list(given), Values=list(given.values())
            )  # fmt: skip
        self.orderer.reach("after_hook_start")
        return said

    def _end(self, errand: Errand, said: Json) -> Json:
        until = time.monotonic() + errand.timeout + SLACK
        while said["end"] is None:
            self.orderer.beat()
            if time.monotonic() > until:
                raise Unavailable(Code.TARGET_UNREACHABLE, f"nobody says how {errand.id} has ended")
            time.sleep(_LOOK_EVERY)
            said = self._ask("look", errand)
        return said

    def _ask(self, do: str, errand: Errand | None = None, **more: Any) -> Json:
        """What is known of it, by the highest claim only."""
        told = {"Do": do, "Claim": str(self.claim), "Hook": errand.id if errand else "", **more}
        return self.remote.call("hook", self.target, self.orderer.beat, Lines=LINES, Most=LENGTH, **told)
