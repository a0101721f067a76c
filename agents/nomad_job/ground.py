"""One target on a Nomad: the claims that lie on it, and its sticker. Both are in one variable that is only written by check-and-set.

Job meta would not do: to change it is to replace every allocation, and a revert brings back the old one.
"""

import json
from collections.abc import Mapping

from agents.handing import handed_over
from agents.nomad_job import marks
from agents.nomad_job.marks import Address, Json
from agents.nomad_job.server import Server
from fairlead.contracts.canonical import canonical
from fairlead.contracts.target import Sticker
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, Refused, Unavailable
from fairlead.domain.fence import Claim, require_highest

_FENCE, _DEPLOYMENT, _STICKER, _HANDED_OVER, _HOOKS = "fence", "deployment", "sticker", "handed_over", "hooks"
_TRIES = 20


class Ground:
    """What is ours on one target."""

    def __init__(self, server: Server, address: Address) -> None:
        self._server, self._address = server, address
        self._path = marks.variable(address)
        self.id = marks.job_id(address)

    def job(self) -> Json | None:
        """Our job, stopped or not. Raises Refused (foreign_workload) when somebody else's has its name."""
        job = self._server.job(self.id)
        if job is not None and not marks.owns(self._address, job):
            raise Refused(
                Code.FOREIGN_WORKLOAD,
                f"a job named {self.id} is there, and is not one of ours",
                hint="purge it, or give the target another `job` in its options",
                fields={"job": self.id},
            )
        return job

    def claim(self) -> Claim | None:
        """The highest claim that lies here."""
        return self._claim_in(_FENCE, _items(self._server.variable(self._path)))

    def is_handed_over(self) -> bool:
        """Whether our job was handed over: its meta stays, and says that it is ours."""
        handed = self._claim_in(_HANDED_OVER, _items(self._server.variable(self._path)))
        job = self.job() if handed else None
        return job is not None and handed is not None and (marks.claim_in(job) or handed) <= handed

    def refuse_handed_over(self) -> None:
        """Raise Conflict (foreign_workload) where that is so."""
        if self.is_handed_over():
            raise handed_over(self._address, f"purge the job {self.id} first")

    def hand_over(self, claim: Claim) -> None:
        """Say so, and nothing else any more. Raises FenceLost."""
        self._write(claim, {_HANDED_OVER: str(claim), _FENCE: str(claim), _DEPLOYMENT: "", _STICKER: "", _HOOKS: ""})

    def stake(self, claim: Claim, deployment: str) -> None:
        """Lay a claim. Raises FenceLost where a higher one lies."""
        self._write(claim, {_FENCE: str(claim), _DEPLOYMENT: deployment})

    def require(self, claim: Claim) -> None:
        """Raise FenceLost if a higher claim lies here now."""
        require_highest(claim, _some(self.claim()))

    def sticker(self) -> Sticker | None:
        """The record, None where there is none or it was spoilt."""
        text = _items(self._server.variable(self._path)).get(_STICKER)
        try:
            return Sticker.model_validate_json(text) if text else None
        except ValueError:
            return None

    def put_sticker(self, sticker: Sticker | None, claim: Claim) -> None:
        """Leave the record, or none. Raises FenceLost."""
        self._write(claim, {_STICKER: canonical(sticker).decode() if sticker else ""})

    def hooks(self) -> tuple[int, dict[str, str]]:
        """The deployment whose hooks were begun last, and how far each is; nothing where that was spoilt."""
        try:
            said = json.loads(_items(self._server.variable(self._path)).get(_HOOKS) or "{}")
            return int(said.get("number", 0)), {**said.get("hooks", {})}
        except (ValueError, TypeError, AttributeError):
            return 0, {}

    def put_hooks(self, number: int, states: Mapping[str, str], claim: Claim) -> None:
        """Say how far they are, or nothing. Raises FenceLost."""
        self._write(claim, {_HOOKS: canonical({"number": number, "hooks": states}).decode() if states else ""})

    def _write(self, claim: Claim, items: Mapping[str, str]) -> None:
        """Change the variable in one step, if no higher claim has come between reading and writing."""
        for _ in range(_TRIES):
            found = self._server.variable(self._path)
            present = _items(found)
            require_highest(claim, _some(self._claim_in(_FENCE, present)))
            wanted = {key: value for key, value in {**present, **items}.items() if value}
            if wanted == present or self._server.put_variable(self._path, wanted, found["ModifyIndex"] if found else 0):
                return
        raise Unavailable(Code.TARGET_UNREACHABLE, f"the variable {self._path} is written by too many at once")

    def _claim_in(self, item: str, items: Mapping[str, str]) -> Claim | None:
        """Raises Conflict (target_changed) where a hand has spoilt it: nobody can tell then who is the highest."""
        try:
            return Claim.parse(items[item]) if item in items else None
        except ValueError as error:
            detail = f"the variable {self._path} says {items[item]!r} where its fence should be"
            hint = "write the highest claim back, which is in the meta of the job's versions too"
            raise Conflict(Code.TARGET_CHANGED, detail, hint=hint) from error


def _items(variable: Json | None) -> dict[str, str]:
    return dict((variable or {}).get("Items") or {})


def _some(claim: Claim | None) -> tuple[Claim, ...]:
    return (claim,) if claim else ()
