"""Judging one opened vote and counting those that were accepted (interface.md 6). The signature has been checked before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fairlead.domain.codes import Code


@dataclass(frozen=True, slots=True)
class Ballot:
    """What a vote says of itself. `signer`: the subject that the key which signed it belongs to, None when nobody's."""

    digest: str
    signer: str | None
    project: str
    promotion: str
    environment: str
    release: str
    plan: str
    choice: str
    voter: str
    assurance: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Poll:
    """What a vote is judged by. `plan`, `opened` and `expires` are None while votes are not open; `people`: who may vote.

    `last`: the time of this voter's last accepted vote here; `used`: whether this digest was accepted in the project before.
    """

    project: str
    promotion: str
    environment: str
    release: str
    requester: str
    requester_rule: str
    people: frozenset[str]
    received: datetime
    plan: str | None = None
    opened: datetime | None = None
    expires: datetime | None = None
    closed: bool = False
    last: datetime | None = None
    used: bool = False


@dataclass(frozen=True, slots=True)
class CastVote:
    """An accepted vote. `groups`: the voter's, at receipt."""

    digest: str
    voter: str
    choice: str
    groups: tuple[str, ...]
    plan: str
    received: datetime


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many, in all and of each group, and whether the requester is one of them (`cannot_vote` | `can_vote`)."""

    count: int
    groups: Mapping[str, int] = field(default_factory=dict)
    requester: str = "cannot_vote"


@dataclass(frozen=True, slots=True)
class Tally:
    """`counted` and `uncounted` are by vote digest; `missing` says how many approvals lack, in all and of each group."""

    counted: tuple[str, ...]
    uncounted: Mapping[str, Code]
    approved_by: tuple[str, ...]
    rejected_by: tuple[str, ...]
    missing: int
    missing_groups: Mapping[str, int]
    satisfied_at: datetime | None

    @property
    def enough(self) -> bool:
        """Whether the quorum is there and nobody eligible said no."""
        return not self.rejected_by and not self.missing and not self.missing_groups


def judge(ballot: Ballot, poll: Poll) -> Code | None:
    """The first rule that the vote breaks, None when it is accepted."""
    raise NotImplementedError


def explain(code: Code) -> str:
    """What a refusal means, in plain words."""
    raise NotImplementedError


def tally(votes: Sequence[CastVote], quorum: Quorum, *, plan: str, requester: str) -> Tally:
    """Count accepted votes, in the order received: of each voter the last one for this plan."""
    raise NotImplementedError
