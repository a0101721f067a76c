"""Our scripts on one host, by name: what was sent and not answered is asked for again, and what is refused there is raised here."""

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from agents.winrm_host.connecting import Connect
from agents.winrm_host.outcomes import Denied, NotStarted, Outcome, OutcomeUnknown, RemoteError
from agents.winrm_host.scripts import script
from agents.winrm_host.shell import Json, Shell
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, FairleadError, NotAllowed, Refused, Unavailable
from fairlead.domain.fence import FenceLost
from fairlead.ports import Beat

_TRIES: Final = 3
_PAUSE: Final = 0.5
_PATIENCE: Final = 120.0
"""Seconds that a script may take beside what it was told to wait for."""
_KINDS: Final[Mapping[Code, type[FairleadError]]] = {
    Code.FENCE_LOST: FenceLost,
    Code.FOREIGN_WORKLOAD: Conflict,
    Code.TARGET_FULL: Unavailable,
    Code.TARGET_UNREACHABLE: Unavailable,
    Code.FOLDER_UNSAFE: Refused,
    Code.START_FAILED: Refused,
}


class Remote:
    """`connect` opens a shell; one lasts until it fails, or to the end. `root` is the folder there that all of ours is in."""

    def __init__(self, connect: Connect, root: str) -> None:
        self._connect, self.root = connect, root
        self._shell: Shell | None = self._opened()

    def close(self) -> None:
        """Leave."""
        shell, self._shell = self._shell, None
        if shell:
            shell.close()

    def call(self, name: str, target: str, beat: Beat, seconds: float = 0.0, **values: Any) -> Json:
        """What a script answers. Raises Refused and Unavailable, which tell what became of it."""
        for left in reversed(range(_TRIES)):
            try:
                said = self._run(name, target, beat, seconds, values)
                break
            except (NotStarted, OutcomeUnknown) as outcome:
                self.close()
                if not left:
                    raise _error(outcome) from outcome
            except (Denied, RemoteError) as outcome:
                raise _error(outcome) from outcome
            beat()
            time.sleep(_PAUSE)
        if "done" in said:
            return dict(said["done"])
        code = Code(said["code"])
        raise _KINDS[code](code, said["detail"], fields=said["fields"])

    def order(self, target: str, beat: Beat, seconds: float, **values: Any) -> Json:
        """The script `order`, which does a thing only once however often it is asked under one id."""
        return self.call("order", target, beat, seconds, Operation=secrets.token_hex(16), **values)

    def _run(self, name: str, target: str, beat: Beat, seconds: float, values: Mapping[str, Any]) -> Json:
        self._shell = self._shell or self._connect()
        return self._shell.run(script(name), seconds + _PATIENCE, beat, Root=self.root, Target=target, **values)

    def _opened(self) -> Shell:
        try:
            return self._connect()
        except (NotStarted, Denied) as outcome:
            raise _error(outcome) from outcome


def _error(outcome: Outcome) -> FairleadError:
    kind: type[FairleadError] = NotAllowed if isinstance(outcome, Denied) else Unavailable
    return kind(outcome.code, outcome.detail)
