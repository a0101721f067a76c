"""An in-memory store for workflow tests, honest about what the real one refuses: event keys, state machines, one place per lane.

What gates answer and what targets do is scripted by the test.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.contracts import names
from fairlead.contracts.canonical import digest_of
from fairlead.contracts.drift import LooksTaken, Watched
from fairlead.contracts.messages import PromotionInput
from fairlead.contracts.steps import Append, Outline
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, FairleadError
from fairlead.domain.states import DEPLOYMENT, PROMOTION, TASK, DeploymentState, PromotionState, TaskState
from fairlead.domain.verdict import Decision, Verdict


@dataclass
class Place:
    """A promotion in its lane."""

    promotion: str
    lane: tuple[str, str]
    position: int
    status: str = "waiting"
    number: int | None = None
    code: str | None = None


@dataclass
class Deployment:
    """A deployment and its tasks."""

    outline: Outline
    is_rollback: bool
    state: DeploymentState = DeploymentState.QUEUED
    code: str | None = None
    detail: str = ""
    tasks: dict[str, TaskState] = field(default_factory=dict)
    touched: list[str] = field(default_factory=list)


class Pause:
    """Holds up one step: the test waits until it is reached, looks, and lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()


class World:
    """All that the fake activities share. Lock it around every access."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.events: dict[str, list[Append]] = defaultdict(list)
        self.promotions: dict[str, PromotionInput] = {}
        self.states: dict[str, PromotionState] = {}
        self.places: dict[str, Place] = {}
        self.restraints: dict[str, str] = {}
        self.restrained: dict[str, tuple[str, str]] = {}
        """The lane of a restraint; one that a test has put in `restraints` by hand is everywhere."""
        self.numbers: dict[tuple[str, str], int] = defaultdict(int)
        self.deployments: dict[str, Deployment] = {}
        self.votes: list[tuple[str, str, str, str | None, datetime]] = []
        self.steps: list[tuple[str, ...]] = []
        self.seals: list[tuple[str, object]] = []
        self.looks: list[LooksTaken] = []
        self.poked: list[str] = []
        # What tests script.
        self.watched_targets: tuple[str, ...] = ("t1", "t2")
        self.look_comes_to = Watched()
        self.plan = digest_of("plan")
        self.verdicts: list[Verdict] = []
        self.approvals = 0
        self.waves: tuple[tuple[str, ...], ...] = (("t1",), ("t2",), ("t3",))
        self.on_failure = "rollback"
        self.verified: set[str] = {"t1", "t2", "t3"}
        self.older: set[str] = set()
        self.errors: dict[tuple[str, ...], list[FairleadError]] = {}
        self.pauses: dict[tuple[str, ...], Pause] = {}

    def append(self, event: Append) -> None:
        """Once per (subject, sequence); anything else there, a gap or an ended subject is history_conflict."""
        with self.lock:
            events = self.events[event.subject]
            if event.sequence < len(events):
                if events[event.sequence] != event:
                    raise Conflict(Code.HISTORY_CONFLICT, f"{event.subject} has something else at {event.sequence}")
                return
            if event.sequence > len(events) or (events and events[-1].type == "ended"):
                raise Conflict(Code.HISTORY_CONFLICT, f"{event.subject} cannot have {event.sequence} next")
            self._project(event)
            events.append(event)

    def request(self, promotion: PromotionInput) -> None:
        """A promotion's row, with event 0."""
        subject = names.promotion_subject(promotion.promotion)
        with self.lock:
            self.promotions[promotion.promotion] = promotion
            self.states[promotion.promotion] = PromotionState.REQUESTED
            self.append(Append(subject=subject, sequence=0, type="requested", time=promotion.requested_at))

    def types(self, subject: str) -> list[str]:
        """The types of a subject's events, in order."""
        with self.lock:
            return [event.type for event in self.events[subject]]

    def event(self, subject: str, type: str) -> Append:
        """The last event of this type."""
        with self.lock:
            return next(event for event in reversed(self.events[subject]) if event.type == type)

    def did(self, *step: str) -> int:
        """How often a step was done on targets."""
        with self.lock:
            return self.steps.count(step)

    def sealed(self, kind: str) -> list[object]:
        """The requests to seal this kind, in order."""
        with self.lock:
            return [request for sealed, request in self.seals if sealed == kind]

    def fail(self, *step: str, errors: Sequence[FairleadError]) -> None:
        """Let a step fail with these, one each time, then work."""
        self.errors[step] = list(errors)

    def may_fail(self, *step: str) -> None:
        """Fail as scripted."""
        with self.lock:
            errors = self.errors.get(step)
            if errors:
                raise errors.pop(0)

    def pause(self, *step: str) -> Pause:
        """Hold a step up."""
        return self.pauses.setdefault(step, Pause())

    def restrain(self, id: str, kind: str, lane: tuple[str, str]) -> None:
        """Freeze or hold one lane."""
        with self.lock:
            self.restraints[id], self.restrained[id] = kind, lane

    def restraining(self, lane: tuple[str, str]) -> dict[str, str]:
        """What keeps a lane, by id."""
        return {id: kind for id, kind in self.restraints.items() if self.restrained.get(id, lane) == lane}

    def _project(self, event: Append) -> None:
        kind, _, id = event.subject.partition("/")
        if kind == "promotion" and event.state:
            self.states[id] = PROMOTION.step(self.states[id], PromotionState(event.state))
        if kind == "deployment":
            self._project_deployment(self.deployments[id], event)

    def _project_deployment(self, row: Deployment, event: Append) -> None:
        if event.state:
            row.state = DEPLOYMENT.step(row.state, DeploymentState(event.state))
        if event.type == "task":
            target = event.data["target"]
            row.tasks[target] = TASK.step(row.tasks[target], TaskState(event.data["state"]))
        if event.type == "ended":
            row.code, row.detail = event.data["code"], event.data["detail"]


def verdict(
    gate: str, decision: Decision, now: datetime, *codes: str, again: datetime | None = None, message: str = ""
) -> Verdict:
    """A gate's answer."""
    return Verdict(
        gate=gate,
        decision=decision,
        reason_codes=codes,
        message=message or f"{gate} says {decision}",
        facts=digest_of(gate),
        policy=digest_of("policy"),
        evaluated_at=now,
        next_evaluation_at=again,
    )
