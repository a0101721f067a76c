"""Promotions: request, list, watch, vote, cancel, retry, explain, prove."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, JsonValue

from api import standing, voting
from api.deps import CallerDep, NewIdDep, ProjectDep, PromotionDep, ServicesDep, UpdateIdDep
from api.instants import Instant
from api.pages import Page, SliceDep, page
from api.planning import PromotionPlan, promotion_plan
from api.replaying import Replay, replay
from api.route import Route
from api.services import Services
from api.shapes import (
    PromotionSummary,
    PromotionView,
    PromotionWhy,
    promotion_summary,
    promotion_view,
    promotion_why,
)
from api.starting import request
from api.troubles import troubles
from api.waiting import seconds_of, until_moved
from fairlead.commands import promotions, sealing
from fairlead.contracts import names
from fairlead.contracts.base import Strict
from fairlead.contracts.records import EventRecord
from fairlead.contracts.votes import VoteAnswer
from fairlead.domain.states import PromotionState
from fairlead.store import history
from fairlead.store import promotions as stored

router = APIRouter(tags=["promotions"], route_class=Route)

Text = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(max_length=1000)]


class NewPromotion(Strict):
    """`through_hold`: the reason for which a person passes a hold; `config`: a configuration layer for this promotion alone, above all others."""

    release: Text
    environment: Text
    reason: Reason = ""
    intent: Literal["promote", "rollback"] = "promote"
    through_hold: Reason | None = None
    config: dict[str, Any] | None = None


@router.post("/projects/{project}/promotions", status_code=202)
async def request_promotion(
    project: ProjectDep,
    wanted: NewPromotion,
    caller: CallerDep,
    services: ServicesDep,
    id: NewIdDep,
    response: Response,
) -> PromotionSummary:
    """Ask for a release in an environment."""
    make = partial(
        promotions.request_promotion,
        services.database,
        project,
        wanted.environment,
        wanted.release,
        requester=caller.subject,
        now=services.now(),
        reason=wanted.reason,
        intent=wanted.intent,
        through_hold=wanted.through_hold,
        config=wanted.config,
        id=id,
    )
    return await request(services, id, response, make)


@router.get("/projects/{project}/promotions")
def list_promotions(
    project: ProjectDep,
    services: ServicesDep,
    asked: SliceDep,
    state: PromotionState | None = None,
    environment: str | None = None,
    release: str | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> Page[PromotionSummary]:
    """Promotions, newest first; `since` <= requested_at < `until`."""
    with services.database.session() as s:
        rows = stored.list_promotions(
            s,
            project,
            state=state,
            environment=environment,
            release=release,
            since=since,
            until=until,
            before=asked.place,
            limit=asked.limit + 1,
        )
    return page(rows, asked, lambda row: row.ordinal, promotion_summary)


@router.get("/promotions/{id}")
async def show_promotion(
    promotion: PromotionDep,
    services: ServicesDep,
    wait: Annotated[str | None, Query(max_length=20, description="a duration such as 30s, 60s at most")] = None,
    after: Annotated[int | None, Query(ge=-1, description="the sequence last seen")] = None,
) -> PromotionView:
    """A promotion. With `wait` answers at the next change after `after`, at the end, or when the time is over."""
    if wait is not None:
        await until_moved(services, promotion, promotion.sequence if after is None else after, seconds_of(wait))
    return await run_in_threadpool(_view, services, promotion.id)


@router.get("/promotions/{id}/events")
def list_events(
    promotion: PromotionDep,
    services: ServicesDep,
    asked: SliceDep,
    after: Annotated[int, Query(ge=-1, description="the sequence last seen, instead of a cursor")] = -1,
) -> Page[EventRecord]:
    """What has happened, in order."""
    last = after if asked.place is None else asked.place
    with services.database.session() as s:
        rows = history.events(s, names.promotion_subject(promotion.id), last, asked.limit + 1)
    return page(rows, asked, lambda row: row.sequence, lambda row: row)


@router.post("/promotions/{id}/votes")
async def vote(
    promotion: PromotionDep,
    services: ServicesDep,
    update_id: UpdateIdDep,
    envelope: Annotated[JsonValue, Body(description="a DSSE envelope, as `fairlead approve --print` makes it")] = None,
) -> VoteAnswer:
    """Send a signed vote."""
    return await voting.vote(services, promotion, envelope, update_id)


@router.post("/promotions/{id}/cancel")
async def cancel(
    promotion: PromotionDep,
    caller: CallerDep,
    services: ServicesDep,
    update_id: UpdateIdDep,
    body: Annotated[dict[str, Any] | None, Body(description="`{reason}`, or a signed cancel envelope")] = None,
) -> VoteAnswer:
    """Cancel a promotion."""
    return await voting.cancel(services, promotion, caller, body or {}, update_id)


@router.post("/promotions/{id}/retry", status_code=202)
async def retry(
    promotion: PromotionDep, caller: CallerDep, services: ServicesDep, new_id: NewIdDep, response: Response
) -> PromotionSummary:
    """The same request anew; votes do not carry over."""
    make = partial(
        promotions.retry,
        services.database,
        promotion.id,
        requester=caller.subject,
        now=services.now(),
        id=new_id,
    )
    return await request(services, new_id, response, make)


@router.get("/promotions/{id}/plan")
def show_plan(promotion: PromotionDep, services: ServicesDep) -> PromotionPlan:
    """What it will change."""
    return promotion_plan(services, promotion)


@router.get("/promotions/{id}/why")
async def why_promotion(promotion: PromotionDep, services: ServicesDep) -> PromotionWhy:
    """Every blocking rule, its input, and when it can next change; and what fails outside and is tried again."""
    now = services.now()
    found = await run_in_threadpool(_standing, services, promotion.id, now)
    return promotion_why(found, now, await troubles(services, found))


@router.get("/promotions/{id}/evidence")
def evidence(
    promotion: PromotionDep,
    services: ServicesDep,
    since: Annotated[str | None, Query(max_length=4096, description="a checkpoint's text")] = None,
) -> dict[str, Any]:
    """The evidence bundle, proved against a checkpoint made now."""
    with services.database.session() as s:
        return sealing.export_bundle(s, services.ledger, promotion.id, since=since)


@router.get("/promotions/{id}/replay")
def replay_verdicts(promotion: PromotionDep, services: ServicesDep) -> Replay:
    """Judge the kept facts again."""
    with services.database.session() as s:
        return replay(s, promotion)


def _view(services: Services, id: str) -> PromotionView:
    now = services.now()
    return promotion_view(_standing(services, id, now), now)


def _standing(services: Services, id: str, now: datetime) -> standing.Standing:
    with services.database.session() as s:
        return standing.read(s, id, now)
