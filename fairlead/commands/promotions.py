"""Requesting a promotion, a rollback or a retry: the row first, the workflow is the caller's to start (design decision 1)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from fairlead.commands.catalogue import of_project
from fairlead.commands.going_back import release_before
from fairlead.commands.ids import new_id
from fairlead.commands.inventory import require_not_retired
from fairlead.commands.keys import is_integration
from fairlead.commands.layers import read_config, require_components
from fairlead.commands.releases import require_release
from fairlead.contracts.messages import (
    INTENT_PROMOTE,
    INTENT_RECONVERGE,
    INTENT_RETIRE,
    INTENT_ROLLBACK,
    SYSTEM,
    PromotionInput,
)
from fairlead.contracts.records import PromotionRecord, ReleaseRecord
from fairlead.domain.catalogue import Catalogue, Environment, Layer
from fairlead.domain.catalogue_document import layer_document
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Conflict, NotAllowed, NotFound
from fairlead.domain.lane import Waiting, is_older
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.states import ReleaseState
from fairlead.store import deployments, promotions, releases
from fairlead.store.database import Database

MAX_REASON = 1000


def request_promotion(
    db: Database,
    project: str,
    environment: str,
    release: str,
    *,
    requester: str,
    now: datetime,
    reason: str = "",
    intent: str = INTENT_PROMOTE,
    through_hold: str | None = None,
    retry_of: str | None = None,
    config: Mapping[str, Any] | None = None,
    id: str | None = None,
) -> PromotionRecord:
    """Write the row of a promotion, in state `requested`. `id`: made from what makes the request the same when it is repeated.

    Raises NotFound (project, environment, release), Conflict (release_deprecated, release_older, nothing_to_roll_back_to),
    NotAllowed (an integration may not go through a hold) and BadInput.
    """
    _check_request(intent, reason, through_hold, requester)
    layer = _own_layer(intent, config)
    with db.session() as s:
        place = require_environment(of_project(s, project), environment)
        require_not_retired(s, project, place, now)
        record = require_release(s, project, release)
        _require_possible(s, record, environment, intent)
        require_components(layer, record.manifest.components)
        return promotions.insert(
            s,
            id=id or new_id(),
            project=project,
            environment=environment,
            release=release,
            release_digest=record.digest,
            requester=requester,
            reason=reason,
            intent=intent,
            through_hold=through_hold,
            retry_of=retry_of,
            requested_at=now,
            expires_at=now + timedelta(seconds=place.promotion_expires),
            config=layer_document(layer),
        )


def request_rollback(
    db: Database,
    project: str,
    environment: str,
    *,
    requester: str,
    now: datetime,
    to: str | None = None,
    reason: str = "",
    id: str | None = None,
) -> PromotionRecord:
    """A promotion with rollback intent: to `to`, else to the release verified there before the present one.

    Raises as `request_promotion`; Conflict (nothing_to_roll_back_to) where no other release was ever verified.
    """
    with db.session() as s:
        place = require_environment(of_project(s, project), environment)
        release = to or release_before(s, project, place)
    return request_promotion(
        db,
        project,
        environment,
        release,
        requester=requester,
        now=now,
        reason=reason,
        intent=INTENT_ROLLBACK,
        id=id,
    )


def request_reconvergence(
    s: Session, project: str, place: Environment, *, now: datetime, reason: str, id: str
) -> PromotionRecord | None:
    """The row of a promotion that brings what was last verified once more, once per `id`; None where nothing ever was.

    It goes the way of every promotion. Votes are not asked for anew while its plan is the one that was verified (domain.gates).
    """
    known, last = promotions.get(s, id), deployments.last_verified(s, project, place.name)
    if known or last is None:
        return known
    return promotions.insert(
        s,
        id=id,
        project=project,
        environment=place.name,
        release=last.release,
        release_digest=last.release_digest,
        requester=SYSTEM,
        reason=reason[:MAX_REASON],
        intent=INTENT_RECONVERGE,
        through_hold=None,
        retry_of=None,
        requested_at=now,
        expires_at=now + timedelta(seconds=place.promotion_expires),
        config=promotions.config(s, deployments.verified_config(s, last)),
    )


def retry(db: Database, promotion: str, *, requester: str, now: datetime, id: str | None = None) -> PromotionRecord:
    """The same request anew, with `retry_of`; votes do not carry over. Raises Conflict (promotion_not_closed)."""
    with db.session() as s:
        record = promotions.get(s, promotion)
        config = promotions.config(s, promotion) if record else {}
    if record is None:
        raise NotFound(Code.PROMOTION_NOT_FOUND, f"there is no promotion {promotion!r:.60}")
    if not record.state.is_terminal:
        raise Conflict(Code.PROMOTION_NOT_CLOSED, f"promotion {promotion} is still {record.state}")
    if record.intent == INTENT_RETIRE:
        raise BadInput(Code.BAD_VALUE, "a retirement is asked for anew", hint="fairlead target retire")
    return request_promotion(
        db,
        record.project,
        record.environment,
        record.release,
        requester=requester,
        now=now,
        reason=record.reason,
        # What we asked for ourselves, somebody else asks for as everybody does.
        intent=INTENT_PROMOTE if record.intent == INTENT_RECONVERGE else record.intent,
        through_hold=record.through_hold,
        retry_of=record.id,
        config=config,
        id=id,
    )


def workflow_input(record: PromotionRecord) -> PromotionInput:
    """What the promotion's workflow is started with."""
    return PromotionInput(
        promotion=record.id,
        project=record.project,
        environment=record.environment,
        release=record.release,
        release_digest=record.release_digest,
        requester=record.requester,
        requested_at=record.requested_at,
        expires_at=record.expires_at,
        intent=record.intent,
        through_hold=record.through_hold,
        retry_of=record.retry_of,
    )


def require_environment(catalogue: Catalogue, name: str) -> Environment:
    """An environment of the catalogue. Raises NotFound (environment_not_found), guessing what was meant."""
    environment = catalogue.environments.get(name)
    if environment is None:
        detail = f"{catalogue.project} has no environment {name!r:.60}{did_you_mean(name, catalogue.environments)}"
        raise NotFound(Code.ENVIRONMENT_NOT_FOUND, detail)
    return environment


def _check_request(intent: str, reason: str, through_hold: str | None, requester: str) -> None:
    if intent not in (INTENT_PROMOTE, INTENT_ROLLBACK):
        raise BadInput(Code.BAD_VALUE, f"intent is {INTENT_PROMOTE} or {INTENT_ROLLBACK}")
    if len(reason) > MAX_REASON:
        raise _too_long()
    require_may_pass_hold(through_hold, requester)


def require_may_pass_hold(through_hold: str | None, requester: str) -> None:
    """A hold stops automation: a person passes it, for a reason. Raises BadInput (bad_value) and NotAllowed."""
    if through_hold is None:
        return
    if not through_hold.strip():
        raise BadInput(Code.BAD_VALUE, "going through a hold needs a reason")
    if len(through_hold) > MAX_REASON:
        raise _too_long()
    if is_integration(requester):
        raise NotAllowed(
            Code.NOT_ALLOWED, "a hold stops automation: only a person goes through it", hint="use a person's bearer key"
        )


def _too_long() -> BadInput:
    return BadInput(Code.BAD_VALUE, f"a reason has at most {MAX_REASON} characters")


def _own_layer(intent: str, config: Mapping[str, Any] | None) -> Layer:
    """The configuration that comes with the request."""
    layer = read_config(config, "/config")
    if intent == INTENT_ROLLBACK and layer != Layer():
        # Going back asks for no votes because what it brings was verified here; another configuration was not.
        raise BadInput(Code.BAD_VALUE, "a rollback takes no configuration of its own", hint="ask for a promotion")
    return layer


def _require_possible(s: Session, record: ReleaseRecord, environment: str, intent: str) -> None:
    if intent == INTENT_ROLLBACK:
        _require_verified_here(s, record, environment)
    else:
        _require_active(record)
        _require_newer(s, record, environment)


def _require_active(record: ReleaseRecord) -> None:
    if record.state is ReleaseState.DEPRECATED:
        raise Conflict(Code.RELEASE_DEPRECATED, f"release {record.version} is deprecated")


def _require_newer(s: Session, record: ReleaseRecord, environment: str) -> None:
    last = deployments.last_verified(s, record.project, environment)
    verified = releases.by_digest(s, record.project, last.release_digest) if last else None
    waiting = Waiting("", record.version, record.ordinal)
    if verified and is_older(waiting, verified.ordinal):
        raise Conflict(
            Code.RELEASE_OLDER,
            f"release {record.version} is older than {verified.version}, which was last verified in {environment}",
            hint="to go back, ask for a rollback",
            fields={"release": record.version, "verified": verified.version},
        )


def _require_verified_here(s: Session, record: ReleaseRecord, environment: str) -> None:
    if not deployments.verified_spans(s, record.project, environment, record.digest):
        raise Conflict(
            Code.NOTHING_TO_ROLL_BACK_TO,
            f"release {record.version} was never verified in {environment}, so nothing can go back to it",
        )
