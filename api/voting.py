"""Sending votes and cancels, and recording at the edge what was refused before the workflow could record it."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool

from api.services import Services
from api.temporal import NotRunning
from fairlead.commands.promotions import MAX_REASON, workflow_input
from fairlead.contracts import names
from fairlead.contracts.canonical import Digest, canonical, digest_of
from fairlead.contracts.messages import CancelRequest
from fairlead.contracts.records import KeyRecord, PromotionRecord
from fairlead.contracts.votes import MAX_VOTE_BYTES, VoteAnswer
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw, Refused, Unavailable
from fairlead.evidence.voting import vote_digest
from fairlead.store import history, promotions


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: a vote or a cancel, and the digest it is known by."""

    what: str
    payload: Digest


async def vote(services: Services, promotion: PromotionRecord, envelope: Any, update_id: str) -> VoteAnswer:
    """Send a signed vote. Raises what it was refused with."""
    sent = Sent("vote", vote_digest(envelope))
    return await _send(services, promotion, sent, _vote(services, promotion, envelope, update_id))


async def cancel(
    services: Services, promotion: PromotionRecord, caller: KeyRecord, body: dict[str, Any], update_id: str
) -> VoteAnswer:
    """Send a cancel: of the caller, or a signed envelope. Raises what it was refused with."""
    request = body if is_envelope(body) else _request(caller, body)
    payload = vote_digest(body) if is_envelope(body) else digest_of(request)
    answer = services.orchestrator.cancel(promotion.id, request, update_id)
    return await _send(services, promotion, Sent("cancel", payload), answer)


def is_envelope(body: dict[str, Any]) -> bool:
    """Whether somebody sent a signed envelope, well made or not."""
    return bool(body.keys() & {"payload", "payloadType", "signatures"})


def _request(caller: KeyRecord, body: dict[str, Any]) -> CancelRequest:
    if unknown := sorted(body.keys() - {"reason"}):
        flaws = [Flaw(Code.UNKNOWN_FIELD, "a cancel has only a reason", f"/{name}") for name in unknown]
        raise BadInput(Code.BAD_REQUEST, f"unknown: {', '.join(unknown)}", flaws=flaws)
    reason = body.get("reason", "")
    if not isinstance(reason, str) or len(reason) > MAX_REASON:
        flaw = Flaw(Code.BAD_VALUE, f"text of at most {MAX_REASON} characters", "/reason")
        raise BadInput(Code.BAD_REQUEST, "the reason is no text, or too long", flaws=[flaw])
    return CancelRequest(actor=caller.subject, reason=reason)


async def _vote(services: Services, promotion: PromotionRecord, envelope: Any, update_id: str) -> VoteAnswer:
    # Temporal would take far more, and keep it.
    if len(canonical(envelope)) > MAX_VOTE_BYTES:
        raise BadInput(Code.VOTE_TOO_LARGE, f"a vote has at most {MAX_VOTE_BYTES} bytes")
    return await services.orchestrator.vote(promotion.id, envelope, update_id)


async def _send(
    services: Services, promotion: PromotionRecord, sent: Sent, answer: Awaitable[VoteAnswer]
) -> VoteAnswer:
    try:
        return await answer
    except Refused as error:
        if isinstance(error, NotRunning) and not await run_in_threadpool(_is_over, services, promotion.id):
            raise await _not_started(services, promotion) from error
        await run_in_threadpool(_record, services, promotion, sent, error)
        raise


def _is_over(services: Services, promotion: str) -> bool:
    with services.database.session() as s:
        record = promotions.get(s, promotion)
    return record is None or record.state.is_terminal


async def _not_started(services: Services, promotion: PromotionRecord) -> Unavailable:
    await services.orchestrator.start_promotion(workflow_input(promotion))
    return Unavailable(Code.TEMPORAL_UNAVAILABLE, f"promotion {promotion.id} had not begun yet", hint="ask again")


def _record(services: Services, promotion: PromotionRecord, sent: Sent, error: Refused) -> None:
    """Record a refusal unless the workflow has: it does so before it answers."""
    with services.database.session() as s:
        later = history.events(s, names.promotion_subject(promotion.id), promotion.sequence, limit=1000)
        if any(event.data.get("payload") == sent.payload for event in later):
            return
        history.append_next(
            s,
            subject=names.edge_subject(promotion.id),
            type=f"{sent.what}_refused",
            time=services.now(),
            actor="unknown",
            code=error.code,
            data={"payload": sent.payload, "detail": error.detail, "via": "api"},
        )
