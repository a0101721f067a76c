"""Judging one opened vote and counting those that were accepted (interface.md 6). The signature has been checked before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fairlead.domain.codes import Code

STALE_AFTER = timedelta(minutes=5)


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
    """The first rule that the vote breaks, None when it is accepted.

    A signed cancel is judged by the same rules, except that the requester may, and that it needs no open votes: one may
    cancel before they open and after they close. When a promotion is over is for the caller to know.
    """
    broken = (code for breaks, code in _RULES if breaks(ballot, poll))
    return next(broken, None)


def explain(code: Code) -> str:
    """What a refusal means, in plain words."""
    return _EXPLANATIONS[code]


def tally(votes: Sequence[CastVote], quorum: Quorum, *, plan: str, requester: str, opened: datetime | None) -> Tally:
    """Count accepted votes, given in the order received: of each voter the last, if it is for this plan.

    `opened`: since when votes are open for it, None while they are not. What came before that does not count, even for the same plan:
    it had been given up in between, and votes began anew.
    """
    last = {vote.voter: vote.digest for vote in votes if vote.choice != "cancel"}
    rules = _Count(last, quorum, plan, requester, opened)
    codes = {vote.digest: _uncounted(vote, rules) for vote in votes}
    counted = [vote for vote in votes if codes[vote.digest] is None]
    approvals = [vote for vote in counted if vote.choice == "approve"]
    return Tally(
        counted=tuple(vote.digest for vote in counted),
        uncounted={digest: code for digest, code in codes.items() if code},
        approved_by=tuple(vote.voter for vote in approvals),
        rejected_by=tuple(vote.voter for vote in counted if vote.choice == "reject"),
        missing=max(0, quorum.count - len(approvals)),
        missing_groups=_missing_groups(approvals, quorum),
        satisfied_at=_satisfied_at(approvals, quorum),
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """What is counted by. `last`: the digest of each voter's last vote."""

    last: Mapping[str, str]
    quorum: Quorum
    plan: str
    requester: str
    opened: datetime | None


def _uncounted(vote: CastVote, by: _Count) -> Code | None:
    if vote.choice == "cancel":
        return Code.CANCELLED
    if by.last[vote.voter] != vote.digest:
        return Code.SUPERSEDED
    if vote.plan != by.plan:
        return Code.VOTE_WRONG_PLAN
    if by.opened is None or vote.received < by.opened:
        return Code.VOTES_NOT_OPEN
    return Code.VOTE_BY_REQUESTER if _is_barred(vote.voter, by.requester, by.quorum.requester) else None


def _missing_groups(approvals: Sequence[CastVote], quorum: Quorum) -> dict[str, int]:
    have = {group: sum(group in vote.groups for vote in approvals) for group in quorum.groups}
    return {group: needed - have[group] for group, needed in quorum.groups.items() if have[group] < needed}


def _satisfied_at(approvals: Sequence[CastVote], quorum: Quorum) -> datetime | None:
    for upto in range(1, len(approvals) + 1):
        first = approvals[:upto]
        if upto >= quorum.count and not _missing_groups(first, quorum):
            return first[-1].received
    return None


def _is_barred(voter: str, requester: str, rule: str) -> bool:
    return voter == requester and rule != "can_vote"


def _is_wrong_voter(ballot: Ballot, _: Poll) -> bool:
    return ballot.voter != ballot.signer or ballot.assurance != "own_key"


def _is_elsewhere(ballot: Ballot, poll: Poll) -> bool:
    return (ballot.project, ballot.promotion, ballot.environment) != (poll.project, poll.promotion, poll.environment)


def _is_wrong_plan(ballot: Ballot, poll: Poll) -> bool:
    return poll.plan is not None and ballot.plan != poll.plan


def _is_by_requester(ballot: Ballot, poll: Poll) -> bool:
    return ballot.choice != "cancel" and _is_barred(ballot.voter, poll.requester, poll.requester_rule)


def _is_unopened(ballot: Ballot, poll: Poll) -> bool:
    return ballot.choice != "cancel" and (poll.plan is None or poll.opened is None)


def _is_closed(ballot: Ballot, poll: Poll) -> bool:
    return ballot.choice != "cancel" and poll.closed


def _is_expired(ballot: Ballot, poll: Poll) -> bool:
    return ballot.choice != "cancel" and poll.expires is not None and poll.received > poll.expires


def _is_stale(ballot: Ballot, poll: Poll) -> bool:
    return abs(poll.received - ballot.time) > STALE_AFTER


def _is_not_later(ballot: Ballot, poll: Poll) -> bool:
    return poll.last is not None and ballot.time <= poll.last


_RULES: Sequence[tuple[Callable[[Ballot, Poll], bool], Code]] = (
    (lambda ballot, _: ballot.signer is None, Code.VOTE_UNKNOWN_KEY),
    (_is_wrong_voter, Code.VOTE_WRONG_VOTER),
    (_is_elsewhere, Code.VOTE_WRONG_PROMOTION),
    (lambda ballot, poll: ballot.release != poll.release, Code.VOTE_WRONG_RELEASE),
    (lambda ballot, poll: ballot.voter not in poll.people, Code.VOTE_NOT_ELIGIBLE),
    (_is_by_requester, Code.VOTE_BY_REQUESTER),
    (lambda _, poll: poll.used, Code.VOTE_REPLAYED),
    (_is_closed, Code.VOTES_CLOSED),
    (_is_unopened, Code.VOTES_NOT_OPEN),
    (_is_wrong_plan, Code.VOTE_WRONG_PLAN),
    (_is_expired, Code.VOTE_EXPIRED),
    (_is_stale, Code.VOTE_STALE),
    (_is_not_later, Code.VOTE_NOT_LATER),
)

_EXPLANATIONS = {
    Code.VOTE_UNKNOWN_KEY: "nobody in the catalogue has the key that signed it",
    Code.VOTE_WRONG_VOTER: "the voter it names did not sign it with a key of their own",
    Code.VOTE_WRONG_PROMOTION: "it is for another promotion",
    Code.VOTE_WRONG_RELEASE: "it is for another release",
    Code.VOTE_NOT_ELIGIBLE: "its voter may not vote here",
    Code.VOTE_BY_REQUESTER: "who asks for a promotion may not vote on it",
    Code.VOTE_REPLAYED: "it was counted before",
    Code.VOTES_CLOSED: "votes are closed",
    Code.VOTES_NOT_OPEN: "votes are not open yet",
    Code.VOTE_WRONG_PLAN: "it is for another plan than the one to be decided on",
    Code.VOTE_EXPIRED: "the time for votes is over",
    Code.VOTE_STALE: "it is stale: its time is more than 5 minutes from when it was received",
    Code.VOTE_NOT_LATER: "it is not later than the voter's last vote here",
}
