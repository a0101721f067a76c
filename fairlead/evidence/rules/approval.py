"""The votes, judged and counted again from the envelopes themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from fairlead.contracts.votes import Choice
from fairlead.domain import votes as rules
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput
from fairlead.evidence import predicates as p
from fairlead.evidence.case import Case
from fairlead.evidence.envelope import read_envelope
from fairlead.evidence.report import Rule
from fairlead.evidence.trust import FRONT_END, VOTER_PREFIX
from fairlead.evidence.voting import OpenedVote, ballot_of, cast_vote, open_vote

_OWN_KEY = "own_key"


@dataclass(frozen=True, slots=True)
class Seen:
    """A vote of the votes statement; `opened` is None where it cannot be read as a vote."""

    number: int
    said: p.CountedVote
    opened: OpenedVote | None

    def __str__(self) -> str:
        return f"vote {self.number}" + (f" by {self.opened.payload.voter}" if self.opened else "")


def seen_votes(case: Case) -> list[Seen]:
    """The votes that were sealed, numbered from 1."""
    sealed = case.votes.predicate.votes if case.votes else ()
    return [Seen(number, said, _opened(said)) for number, said in enumerate(sealed, start=1)]


def _opened(said: p.CountedVote) -> OpenedVote | None:
    try:
        return open_vote(said.envelope)
    except BadInput:
        return None


def _signatures(case: Case) -> Iterator[str]:
    for vote in seen_votes(case):
        if vote.opened is None:
            yield f"{vote} cannot be read as a vote"
            continue
        key = case.trust.keys.get(vote.opened.keyid)
        if key is None:
            yield f"{vote}: key {vote.opened.keyid} is not in the trust file"
        elif not case.trust.verifies(read_envelope(vote.said.envelope)):
            yield f"{vote}: the signature does not hold"
        elif _role_asked(vote.opened) not in key.roles:
            yield f"{vote}: its key has not the role {_role_asked(vote.opened)}"
        elif not key.valid_at(vote.said.received):
            yield f"{vote}: its key was not valid when it was received"


def _role_asked(vote: OpenedVote) -> str:
    return FRONT_END if vote.payload.assurance == FRONT_END else VOTER_PREFIX + vote.payload.voter


def _acceptable(case: Case) -> Iterator[str]:
    if not case.votes:
        return
    if not case.decision:
        return
    last: dict[str, datetime] = {}
    used: set[str] = set()
    votes = [(vote, vote.opened) for vote in seen_votes(case)]
    for vote, opened in votes:
        if opened is None:
            continue
        poll = _poll(case.decision.predicate, case, vote, opened, last.get(opened.payload.voter), opened.digest in used)
        code = rules.judge(_ballot(opened), poll)
        if code:
            yield f"{vote} should have been refused, {code}: {rules.explain(code)}"
        last[opened.payload.voter] = opened.payload.time
        used.add(opened.digest)
    for (earlier, _), (later, _) in pairwise(votes):
        if later.said.received < earlier.said.received:
            yield f"{later} was received before {earlier}, and stands after it"


def _ballot(opened: OpenedVote) -> rules.Ballot:
    # whose key it is, and which kind of key the assurance asks for, is the rule vote_signature's
    ballot = ballot_of(opened, opened.payload.voter)
    return replace(ballot, assurance=_OWN_KEY) if ballot.assurance == FRONT_END else ballot


def _poll(
    decision: p.DecisionPredicate, case: Case, vote: Seen, opened: OpenedVote, last: datetime | None, used: bool
) -> rules.Poll:
    terms, said = decision.approval, opened.payload
    # a vote for an earlier plan was judged in that plan's time; it is here, and may not count
    current = terms if said.plan == decision.plan else None
    return rules.Poll(
        project=case.trust.project,
        promotion=case.promotion,
        environment=decision.environment,
        release=decision.release,
        requester=decision.requester,
        requester_rule=terms.requester if terms else "cannot_vote",
        people=frozenset({said.voter}),
        received=vote.said.received,
        plan=said.plan,
        opened=current.opened if current else vote.said.received,
        expires=current.expires if current else None,
        last=last,
        used=used,
    )


def _counted(case: Case) -> Iterator[str]:
    if not case.votes or not case.decision:
        return
    decision = case.decision.predicate
    if case.votes.predicate.plan != decision.plan:
        yield "the votes were counted for another plan than the one decided on"
    result = count_again(case)
    for vote in seen_votes(case):
        if vote.opened is None:
            continue
        counts = result is not None and vote.opened.digest in result.counted
        if vote.said.counted != counts:
            yield f"{vote} {'counts' if counts else 'does not count'}, and the statement says otherwise"


def count_again(case: Case) -> rules.Tally | None:
    """The tally from the envelopes; None without a votes statement or a decision."""
    if not case.decision or not case.votes:
        return None
    decision, terms = case.decision.predicate, case.decision.predicate.approval
    quorum = rules.Quorum(terms.count, terms.groups, terms.requester) if terms else rules.Quorum(0)
    cast = [cast_vote(v.opened, v.said.received, v.said.groups) for v in seen_votes(case) if v.opened]
    opened = terms.opened if terms else None
    return rules.tally(cast, quorum, plan=decision.plan or "", requester=decision.requester, opened=opened)


def _approved(case: Case) -> Iterator[str]:
    if not case.decision or case.decision.predicate.result != "allow":
        return
    if any(vote.opened and vote.opened.payload.choice is Choice.REJECT for vote in seen_votes(case)):
        yield f"somebody voted no ({Code.VOTE_REJECTED}), and it was allowed"
    if case.decision.predicate.approval is None:
        return
    result = count_again(case)
    if result is None:
        yield "votes were asked for, and there is no votes statement"
    elif result.missing or result.missing_groups:
        groups = ", ".join(f"{count} of {group}" for group, count in result.missing_groups.items())
        yield f"it was allowed with {result.missing} approvals missing" + (f", and {groups}" if groups else "")


RULES = (
    Rule(
        "vote_signature",
        "every vote is signed by a key of its voter, or of a front end, valid when received",
        _signatures,
    ),
    Rule("vote", "no vote is here that had to be refused", _acceptable),
    Rule("vote_count", "just the votes that count are marked as counted", _counted),
    Rule("approval", "what was allowed had the approvals that were asked for, and no reject", _approved),
)
