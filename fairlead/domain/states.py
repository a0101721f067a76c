"""The published state machines (design decision 12), as data. Every edge not listed here is refused."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar

from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict


class PromotionState(StrEnum):
    """Where a promotion stands, from request to its end."""

    REQUESTED = "requested"
    EVALUATING = "evaluating"
    AWAITING_APPROVAL = "awaiting_approval"
    AWAITING_GATE = "awaiting_gate"
    QUEUED = "queued"
    DEPLOYING = "deploying"
    VERIFYING = "verifying"
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"

    @property
    def is_terminal(self) -> bool:
        return not PROMOTION.edges[self]

    @property
    def status(self) -> "PromotionStatus":
        """The coarse status that integrators get."""
        return _STATUS[self]


class PromotionStatus(StrEnum):
    """What other orchestrators need to know of a promotion."""

    QUEUED = "queued"
    PENDING_APPROVAL = "pending_approval"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        return self in {self.SUCCEEDED, self.FAILED, self.CANCELED}


class DeploymentState(StrEnum):
    """Where a deployment stands. `rolled_back`: it failed, and every target it touched is back."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    VERIFYING = "verifying"
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return not DEPLOYMENT.edges[self]


class TaskState(StrEnum):
    """Where the work on one target stands."""

    PENDING = "pending"
    LEASED = "leased"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    LOST = "lost"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"

    @property
    def is_terminal(self) -> bool:
        return not TASK.edges[self]


class AgentState(StrEnum):
    """Whether an agent can take work."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    DRAINING = "draining"
    REVOKED = "revoked"

    @property
    def is_terminal(self) -> bool:
        return not AGENT.edges[self]


class ReleaseState(StrEnum):
    """Whether a release may be promoted."""

    ACTIVE = "active"
    DEPRECATED = "deprecated"

    @property
    def is_terminal(self) -> bool:
        return False


S = TypeVar("S", bound=StrEnum)


class Machine(Generic[S]):
    """A state machine: for each state, the states it may go to. A terminal state goes nowhere."""

    def __init__(self, name: str, first: S, edges: Mapping[S, frozenset[S]]) -> None:
        self.name = name
        self.first = first
        self.edges = MappingProxyType(dict(edges))

    def step(self, old: S, new: S) -> S:
        """Return `new`. Staying where one is is no step and allowed, except in a terminal state.

        Raises Conflict (bad_transition) where no such edge is published.
        """
        if new not in self.edges[old] and not (new == old and self.edges[old]):
            raise Conflict(Code.BAD_TRANSITION, f"a {self.name} cannot go from {old} to {new}")
        return new


_P, _D, _T, _A = PromotionState, DeploymentState, TaskState, AgentState
_UNDECIDED_ENDS = {_P.REJECTED, _P.CANCELLED, _P.EXPIRED, _P.SUPERSEDED, _P.FAILED}
_WAITING = {_P.EVALUATING, _P.AWAITING_APPROVAL, _P.AWAITING_GATE, _P.QUEUED}
_NONE: frozenset[PromotionState] = frozenset()

PROMOTION = Machine(
    "promotion",
    _P.REQUESTED,
    {
        _P.REQUESTED: frozenset({_P.EVALUATING} | _UNDECIDED_ENDS),
        _P.EVALUATING: frozenset(_WAITING | _UNDECIDED_ENDS),
        _P.AWAITING_APPROVAL: frozenset(_WAITING | _UNDECIDED_ENDS),
        _P.AWAITING_GATE: frozenset(_WAITING | _UNDECIDED_ENDS),
        _P.QUEUED: frozenset(_WAITING | {_P.DEPLOYING} | _UNDECIDED_ENDS),
        _P.DEPLOYING: frozenset({_P.VERIFYING, _P.ROLLING_BACK, _P.SUCCEEDED, _P.CANCELLED, _P.FAILED, _P.ROLLED_BACK}),
        _P.VERIFYING: frozenset({_P.ROLLING_BACK, _P.SUCCEEDED, _P.CANCELLED, _P.FAILED, _P.ROLLED_BACK}),
        _P.ROLLING_BACK: frozenset({_P.ROLLED_BACK, _P.FAILED, _P.CANCELLED}),
        _P.SUCCEEDED: _NONE,
        _P.REJECTED: _NONE,
        _P.CANCELLED: _NONE,
        _P.EXPIRED: _NONE,
        _P.SUPERSEDED: _NONE,
        _P.FAILED: _NONE,
        _P.ROLLED_BACK: _NONE,
    },
)

DEPLOYMENT = Machine(
    "deployment",
    _D.QUEUED,
    {
        _D.QUEUED: frozenset({_D.PREPARING, _D.FAILED, _D.CANCELLED}),
        _D.PREPARING: frozenset({_D.RUNNING, _D.FAILED, _D.CANCELLED}),
        _D.RUNNING: frozenset({_D.PAUSED, _D.VERIFYING, _D.ROLLING_BACK, _D.FAILED, _D.CANCELLED}),
        _D.PAUSED: frozenset({_D.RUNNING, _D.ROLLING_BACK, _D.FAILED, _D.CANCELLED}),
        _D.VERIFYING: frozenset({_D.ROLLING_BACK, _D.SUCCEEDED, _D.FAILED, _D.CANCELLED}),
        _D.ROLLING_BACK: frozenset({_D.ROLLED_BACK, _D.FAILED, _D.CANCELLED}),
        _D.SUCCEEDED: frozenset(),
        _D.FAILED: frozenset(),
        _D.ROLLED_BACK: frozenset(),
        _D.CANCELLED: frozenset(),
    },
)

_TASK_ENDS = {_T.SUCCEEDED, _T.FAILED, _T.TIMED_OUT, _T.LOST, _T.CANCELLED, _T.SKIPPED}
TASK = Machine(
    "task",
    _T.PENDING,
    {
        _T.PENDING: frozenset({_T.LEASED, _T.RUNNING, _T.FAILED, _T.LOST, _T.CANCELLED, _T.SKIPPED}),
        _T.LEASED: frozenset({_T.PENDING, _T.RUNNING, _T.FAILED, _T.LOST, _T.CANCELLED}),
        _T.RUNNING: frozenset(_TASK_ENDS - {_T.SKIPPED}),
        **{end: frozenset() for end in _TASK_ENDS},
    },
)

_LIVE = {_A.ONLINE, _A.DEGRADED, _A.OFFLINE, _A.DRAINING}
AGENT = Machine(
    "agent",
    _A.OFFLINE,
    {**{a: frozenset((_LIVE - {a}) | {_A.REVOKED}) for a in _LIVE}, _A.REVOKED: frozenset()},
)

RELEASE = Machine(
    "release",
    ReleaseState.ACTIVE,
    {
        ReleaseState.ACTIVE: frozenset({ReleaseState.DEPRECATED}),
        ReleaseState.DEPRECATED: frozenset({ReleaseState.ACTIVE}),
    },
)

_STATUS = {
    _P.REQUESTED: PromotionStatus.QUEUED,
    _P.EVALUATING: PromotionStatus.QUEUED,
    _P.AWAITING_APPROVAL: PromotionStatus.PENDING_APPROVAL,
    _P.AWAITING_GATE: PromotionStatus.QUEUED,
    _P.QUEUED: PromotionStatus.QUEUED,
    _P.DEPLOYING: PromotionStatus.RUNNING,
    _P.VERIFYING: PromotionStatus.RUNNING,
    _P.ROLLING_BACK: PromotionStatus.RUNNING,
    _P.SUCCEEDED: PromotionStatus.SUCCEEDED,
    _P.REJECTED: PromotionStatus.FAILED,
    _P.FAILED: PromotionStatus.FAILED,
    _P.ROLLED_BACK: PromotionStatus.FAILED,
    _P.CANCELLED: PromotionStatus.CANCELED,
    _P.EXPIRED: PromotionStatus.CANCELED,
    _P.SUPERSEDED: PromotionStatus.CANCELED,
}
