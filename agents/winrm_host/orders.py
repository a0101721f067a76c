"""Orders to the services of one target (place.Orders): each is one script, which does all of it there."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from agents.cutting import READ
from agents.process_host.health import Finding
from agents.process_host.records import Run, RunSpec, State
from agents.process_host.rollout import Rollout
from agents.winrm_host import reading
from agents.winrm_host.remote import Remote
from agents.winrm_host.shell import Json
from fairlead.domain.fence import Claim
from fairlead.ports import Beat

_LAST_LINES: Final = 20


class Orders:
    """What is known of the target is as fresh as the last answer of any script. `runs_as`: the account of services, and its SID."""

    def __init__(self, remote: Remote, target: str, owner: str, runs_as: tuple[str, str], beat: Beat) -> None:
        self._remote, self._target, self._owner, self._runs_as, self._beat = remote, target, owner, runs_as, beat
        self._state = State()
        self.left: Sequence[str] = ()
        """What hooks have left there."""

    def learn(self, said: Json) -> State:
        """Take in what a script said of the target's components."""
        self._state = reading.state_of(said["slots"])
        return self._state

    def status(self) -> State:
        """What runs, and what to go back to."""
        return self._state

    def claims(self) -> list[Claim]:
        """All claims that lie on the target now."""
        said = self._remote.call("look", self._target, self._beat, Owner=self._owner)
        self.learn(said)
        return [Claim.parse(claim) for claim in said["claims"]]

    def glance(self, run: Run) -> Finding:
        """How it is now."""
        check = run.spec.health
        asked: dict[str, Any] = {"Component": run.spec.component}
        if check:
            asked |= {
                "Port": run.spec.probe_port,
                "Path": check["http"] or "",
                "Timeout": round(check["timeout"] * 1000),
            }
        said = self._remote.call("watch", self._target, self._beat, **asked)
        self.learn(said)
        return reading.finding(run, said)

    def gave_up(self, run: Run) -> bool:
        """A service that has ended is started again by nobody before it was once seen healthy."""
        return run.process is None

    def last_words(self, run: Run) -> str:
        """The end of what it wrote."""
        return tail(self._remote, self._target, self._owner, self._beat, run.spec.component, _LAST_LINES, READ)

    def start(self, claim: Claim, spec: RunSpec, secrets: Mapping[str, str] | None = None) -> State:
        """Put it in the place of what runs, and of what else of this target has its ports."""
        given = {**spec.env, **(secrets or {})}
        stopped = self.in_the_way(spec)
        grace = max((self._grace(name) for name in stopped), default=0.0)
        account, sid = self._runs_as
        return self._order(
            "start", claim, spec.component, grace, max(1, len(stopped)), Spec=json.dumps(asdict(spec)), Path=command_line(spec),
            Account=account, Sid=sid, Instead=stopped, Names=list(given), Values=list(given.values()),
        )  # fmt: skip

    def in_the_way(self, spec: RunSpec) -> list[str]:
        """The components that have to stop when this one starts."""
        return [
            name
            for name, slot in reversed(self._state.slots.items())
            if slot.run and (name == spec.component or set(slot.run.spec.ports) & set(spec.ports))
        ]

    def stop(self, claim: Claim, component: str, run: int, grace: float) -> State:
        """Stop just this run."""
        return self._order("stop", claim, component, grace, Number=str(run))

    def restore(self, claim: Claim, component: str, grace: float) -> State:
        """Stop what runs and start what was last confirmed: its own service, which was only stopped."""
        return self._order("restore", claim, component, grace)

    def adopt(self, claim: Claim, component: str, run: int) -> State:
        """Answer for a run from now on."""
        return self._order("adopt", claim, component, 0.0, Number=str(run))

    def confirm(self, claim: Claim, component: str, run: int) -> State:
        """It is healthy: it starts with the machine and after a crash, and the service of the one before goes."""
        return self._order("confirm", claim, component, 0.0, Number=str(run))

    def remove(self, claim: Claim, component: str, grace: float) -> State:
        """Stop a component and forget it."""
        return self._order("remove", claim, component, grace)

    def undo(self, claim: Claim, component: str, run: int, grace: float) -> State:
        """Take back what this claim started, though a higher one lies on the target."""
        return self._order("undo", claim, component, grace, Number=str(run))

    def _order(self, do: str, claim: Claim, component: str, grace: float, stops: int = 1, **more: Any) -> State:
        """`stops`: so many components end one after the other, each with the whole grace."""
        told: dict[str, Any] = {"Do": do, "Claim": str(claim), "Component": component, "Grace": grace, **more}
        return self.learn(self._remote.order(self._target, self._beat, grace * stops, **told))

    def _grace(self, component: str) -> float:
        run = self._state.slots[component].run
        return run.spec.stop_grace if run else 0.0


@dataclass(slots=True)
class ServiceRollout(Rollout):
    """The script that starts a component stops what is in its way as well: between the two no network can fail."""

    def _make_room(self, plan: RunSpec) -> None:
        slots = self.control.status().slots
        taken = set(plan.ports)
        self.touched += [
            name
            for name, slot in slots.items()
            if name != plan.component and slot.run and taken & set(slot.run.spec.ports)
        ]


def command_line(spec: RunSpec) -> str:
    """As Windows programs take it apart. A path that is not in quotation marks could be read as a shorter one."""
    return " ".join([f'"{spec.argv[0]}"', subprocess.list2cmdline(spec.argv[1:])]).strip()


def tail(remote: Remote, target: str, owner: str, beat: Beat, component: str, lines: int, most: int) -> str:
    """The end of what a component's present run wrote."""
    said = remote.call("tail", target, beat, Owner=owner, Component=component, Lines=lines, Most=most)
    return str(said["text"])
