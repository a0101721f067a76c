"""The stories whose evidence is genuine, and everything that the forgers among the tests need to change them."""

from collections.abc import Callable, Mapping
from typing import Any

from fairlead.contracts.canonical import canonical, digest_of
from fairlead.contracts.votes import Choice
from fairlead.domain.states import PromotionState
from fairlead.evidence import bundle, envelope
from fairlead.evidence.report import Report
from fairlead.evidence.statement import Statement
from fairlead.evidence.trust import read_trust
from fairlead.evidence.verify import verify
from fairlead.evidence.voting import ReceivedVote
from tests.evidence.material import (
    AGENT_KINDS,
    EARLIER_PLAN,
    ENVIRONMENT,
    EXPIRES,
    NEW,
    NOON,
    OLD,
    PLAN,
    PROJECT,
    PROMOTION,
    REQUESTER,
    VOTERS,
    Tamper,
    ballot,
    digest,
    manifest_of,
    minute,
    signer,
    trust,
)
from tests.evidence.teller import World

__all__ = [
    "AGENT_KINDS",
    "EARLIER_PLAN",
    "ENVIRONMENT",
    "EXPIRES",
    "NEW",
    "NOON",
    "OLD",
    "PLAN",
    "PROJECT",
    "PROMOTION",
    "PromotionState",
    "REQUESTER",
    "ReceivedVote",
    "STORIES",
    "Statement",
    "Tamper",
    "VOTERS",
    "World",
    "ballot",
    "cancelled",
    "canonical",
    "denied_by_gate",
    "denied_by_vote",
    "digest",
    "digest_of",
    "envelope",
    "expired",
    "judged",
    "manifest_of",
    "minute",
    "retired",
    "rollback_refused",
    "rolled_back",
    "signer",
    "succeeded",
    "terminated",
    "told",
    "trust",
]


def succeeded(world: World) -> None:
    """Allowed by two votes, deployed, verified."""
    world.decide()
    world.deploy()
    world.end(PromotionState.SUCCEEDED)


def rolled_back(world: World) -> None:
    """Allowed, broken on the first target, and back."""
    world.decide()
    world.deploy(failing="prod-1")
    world.roll_back()
    world.end(PromotionState.ROLLED_BACK, code="unhealthy")


def retired(world: World) -> None:
    """Allowed and broken; there was nothing to go back to."""
    world.decide()
    world.deploy(failing="prod-1")
    world.roll_back(retire=True)
    world.end(PromotionState.FAILED, code="unhealthy")


def rollback_refused(world: World) -> None:
    """Allowed and broken, and no rollback could be ordered: the outcome says so."""
    world.decide()
    world.deploy(failing="prod-1")
    world.end(PromotionState.FAILED, code="rollback_refused")


def denied_by_gate(world: World) -> None:
    """A critical vulnerability."""
    world.decide("deny", denied="security")
    world.end(PromotionState.REJECTED)


def denied_by_vote(world: World) -> None:
    """One reject among approvals."""
    world.decide("deny", ballots=[ballot("ana", 12), ballot("ben", 13, Choice.REJECT)])
    world.end(PromotionState.REJECTED)


def expired(world: World) -> None:
    """Nobody voted in time."""
    world.decide("deny", ballots=[], time=EXPIRES, code="approval_expired")
    world.end(PromotionState.EXPIRED, time=EXPIRES)


def cancelled(world: World) -> None:
    """The requester signed a cancel, before any vote."""
    world.decide("deny", ballots=[ballot("dora", 5, Choice.CANCEL)], code="cancelled")
    world.end(PromotionState.CANCELLED)


def terminated(world: World) -> None:
    """Somebody terminated the workflow while its deployment went on."""
    world.decide()
    world.deploy()
    world.end(PromotionState.FAILED, code="terminated")


STORIES = (
    succeeded,
    rolled_back,
    retired,
    rollback_refused,
    denied_by_gate,
    denied_by_vote,
    expired,
    cancelled,
    terminated,
)


def told(story: Callable[[World], None], **attack: Any) -> World:
    """A world in which the story has been told."""
    world = World(**attack)
    story(world)
    return world


def judged(bundle_: Mapping[str, Any] | bytes, trusted: Mapping[str, Any] | None = None, **asked: Any) -> Report:
    """The verifier's report."""
    data = bundle_ if isinstance(bundle_, bytes) else bundle.write(bundle_)
    return verify(data, read_trust(trusted or trust()), **asked)
