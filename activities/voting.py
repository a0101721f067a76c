"""Judging one vote or cancel in one transaction: who signed it, what the rules say, and the event that records the answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from activities import lookup
from fairlead.contracts import names
from fairlead.contracts.canonical import Digest, digest_of
from fairlead.contracts.records import EventRecord, PromotionRecord, VoteRecord
from fairlead.contracts.steps import Append, JudgeCancel, JudgeVote
from fairlead.contracts.votes import Choice, VoteAnswer, VotePayload
from fairlead.domain import votes as rules
from fairlead.domain.catalogue import Catalogue, Person
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict
from fairlead.evidence import keys, voting
from fairlead.store import history, votes

UNKNOWN = "unknown"
"""The actor of what nobody has proven to have said."""
VIA_TEMPORAL = "temporal"


@dataclass(frozen=True, slots=True)
class Window:
    """For which plan votes are open, since and until when."""

    plan: Digest | None = None
    opened: datetime | None = None
    expires: datetime | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody of the catalogue, and the key of theirs that a vote names."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer, and the vote itself where it could be read."""

    answer: VoteAnswer
    payload: VotePayload | None = None
    groups: tuple[str, ...] = ()


def judge_vote(s: Session, request: JudgeVote) -> VoteAnswer:
    """Judge and record a vote; a recorded one is answered as it was. Raises Conflict (history_conflict) for another in its place."""
    digest = request.payload or voting.vote_digest(request.envelope)
    recorded = _recorded(s, request.promotion, request.sequence, digest)
    if recorded is not None:
        return recorded
    promotion = lookup.promotion(s, request.promotion)
    if promotion.state.is_terminal:
        return _too_late(digest)
    window = Window(request.plan, request.opened, request.expires, request.closed)
    judged = _only(_judge(s, promotion, request, digest, window), is_cancel=False)
    _record(s, promotion, request, judged, "vote")
    return judged.answer


def judge_cancel(s: Session, request: JudgeCancel) -> VoteAnswer:
    """Judge and record a cancel: signed, of somebody the API knows, or native."""
    digest = _cancel_digest(request)
    recorded = _recorded(s, request.promotion, request.sequence, digest)
    if recorded is not None:
        return recorded
    promotion = lookup.promotion(s, request.promotion)
    if promotion.state.is_terminal:
        return _too_late(digest)
    judged = _judge_cancel(s, promotion, request, digest)
    _record(s, promotion, request, judged, "cancel")
    return judged.answer


def _judge_cancel(s: Session, promotion: PromotionRecord, request: JudgeCancel, digest: Digest) -> Judged:
    if request.request is not None:
        actor = request.request.actor
        return Judged(VoteAnswer(accepted=True, digest=digest, actor=actor, choice=Choice.CANCEL))
    if request.via == VIA_TEMPORAL:
        return Judged(VoteAnswer(accepted=True, digest=digest, actor=UNKNOWN, choice=Choice.CANCEL))
    return _only(_judge(s, promotion, request, digest, Window(promotion.plan)), is_cancel=True)


def _only(judged: Judged, *, is_cancel: bool) -> Judged:
    """A cancel says nothing as a vote, and a vote nothing as a cancel."""
    if judged.payload is None or (judged.payload.choice is Choice.CANCEL) == is_cancel:
        return judged
    answer, detail = judged.answer, "it is a vote, no cancel" if is_cancel else "it is a cancel, no vote"
    return Judged(_refusal(answer.digest, Code.VOTE_MALFORMED, actor=answer.actor, detail=detail))


def _too_late(digest: Digest) -> VoteAnswer:
    """Not recorded: the history of a promotion that is over takes nothing more."""
    return _refusal(digest, Code.PROMOTION_CLOSED, detail="the promotion is over")


def _cancel_digest(request: JudgeCancel) -> Digest:
    if request.payload is not None:
        return request.payload
    if request.envelope is not None:
        return voting.vote_digest(request.envelope)
    return digest_of({"cancel": request.promotion, "request": request.request and request.request.model_dump()})


def _judge(
    s: Session, promotion: PromotionRecord, request: JudgeVote | JudgeCancel, digest: Digest, window: Window
) -> Judged:
    try:
        opened = voting.open_vote(request.envelope)
    except BadInput as error:
        return Judged(_refusal(digest, error.code, detail=error.detail))
    choice = opened.payload.choice
    catalogue = lookup.project_catalogue(s, promotion.project)
    signer = _signer(catalogue, opened)
    if signer is not None:
        try:
            voting.verify_vote(request.envelope, signer.key)
        except BadInput as error:
            return Judged(_refusal(digest, error.code, detail=error.detail, choice=choice))
    actor = signer.name if signer else None
    poll = _poll(s, promotion, catalogue, opened, window, request.received)
    code = rules.judge(voting.ballot_of(opened, actor), poll)
    if code is not None or actor is None:
        refused = code or Code.VOTE_UNKNOWN_KEY
        return Judged(_refusal(digest, refused, actor=actor or UNKNOWN, choice=choice), opened.payload)
    answer = VoteAnswer(accepted=True, digest=opened.digest, actor=actor, choice=choice)
    return Judged(answer, opened.payload, catalogue.people[actor].groups)


def _signer(catalogue: Catalogue, opened: voting.OpenedVote) -> Signer | None:
    """Whose key the vote names; the voter's own comes first where several people share one."""
    voter = opened.payload.voter
    people = sorted(catalogue.people.items(), key=lambda item: item[0] != voter)
    return next((Signer(name, pem) for name, person in people for pem in _with_id(person, opened.keyid)), None)


def _with_id(person: Person, keyid: str) -> list[str]:
    return [pem for pem in person.keys if keys.key_id(keys.load_public_key(pem)) == keyid]


def _poll(
    s: Session,
    promotion: PromotionRecord,
    catalogue: Catalogue,
    opened: voting.OpenedVote,
    window: Window,
    received: datetime,
) -> rules.Poll:
    environment = catalogue.environments.get(promotion.environment)
    rule = environment.approval if environment else None
    last = votes.last_of(s, promotion.id, opened.payload.voter)
    return rules.Poll(
        project=promotion.project,
        promotion=promotion.id,
        environment=promotion.environment,
        release=promotion.release_digest,
        requester=promotion.requester,
        requester_rule=rule.requester if rule else "cannot_vote",
        people=frozenset(catalogue.people),
        received=received,
        plan=window.plan,
        opened=window.opened,
        expires=window.expires,
        closed=window.closed,
        last=last.time if last else None,
        used=votes.digest_used(s, promotion.project, opened.digest),
    )


def _refusal(
    digest: Digest, code: Code, *, actor: str = UNKNOWN, detail: str = "", choice: Choice | None = None
) -> VoteAnswer:
    return VoteAnswer(
        accepted=False, digest=digest, actor=actor, choice=choice, code=code, detail=detail or rules.explain(code)
    )


def _recorded(s: Session, promotion: str, sequence: int, digest: Digest) -> VoteAnswer | None:
    event = history.event(s, names.promotion_subject(promotion), sequence)
    if event is None:
        return None
    if event.data.get("payload") != digest:
        raise Conflict(Code.HISTORY_CONFLICT, f"event {sequence} of promotion {promotion} is about something else")
    return _answer_of(event)


def _answer_of(event: EventRecord) -> VoteAnswer:
    return VoteAnswer(
        accepted=event.code is None,
        digest=event.data["payload"],
        actor=event.actor or UNKNOWN,
        choice=event.data["choice"],
        code=event.code,
        detail=event.data["detail"],
    )


def _record(
    s: Session, promotion: PromotionRecord, request: JudgeVote | JudgeCancel, judged: Judged, what: str
) -> None:
    answer = judged.answer
    reason = request.request.reason if isinstance(request, JudgeCancel) and request.request else None
    history.append(
        s,
        Append(
            subject=names.promotion_subject(promotion.id),
            sequence=request.sequence,
            type=f"{what}_accepted" if answer.accepted else f"{what}_refused",
            time=request.received,
            actor=answer.actor,
            code=answer.code,
            data={
                "payload": answer.digest,
                "choice": answer.choice and str(answer.choice),
                "via": request.via,
                "detail": answer.detail,
                "comment": judged.payload.comment if judged.payload and answer.accepted else reason,
            },
        ),
    )
    if answer.accepted and judged.payload is not None:
        votes.insert(s, _vote(promotion, request, judged, judged.payload))


def _vote(
    promotion: PromotionRecord, request: JudgeVote | JudgeCancel, judged: Judged, payload: VotePayload
) -> VoteRecord:
    return VoteRecord(
        promotion=promotion.id,
        project=promotion.project,
        digest=judged.answer.digest,
        voter=payload.voter,
        choice=payload.choice,
        comment=payload.comment,
        groups=judged.groups,
        plan=payload.plan,
        time=payload.time,
        received=request.received,
        envelope=request.envelope,
        ordinal=request.sequence,
    )
