"""From the request of a promotion to its row, and from its row to its workflow."""

import logging
from collections.abc import Callable

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from api.services import Services
from api.shapes import PromotionSummary, promotion_summary
from fairlead.commands.promotions import workflow_input
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.errors import Unavailable
from fairlead.store import promotions

_log = logging.getLogger(__name__)


async def request(
    services: Services, id: str, response: Response, make: Callable[[], PromotionRecord]
) -> PromotionSummary:
    """Write the row, unless a first try of the same request has (it may have died before it answered), then start it."""
    record = await run_in_threadpool(_known_or_made, services, id, make)
    await start(services, record, response)
    return promotion_summary(record)


def _known_or_made(services: Services, id: str, make: Callable[[], PromotionRecord]) -> PromotionRecord:
    with services.database.session() as s:
        known = promotions.get(s, id)
    return known or make()


async def start(services: Services, record: PromotionRecord, response: Response) -> None:
    """Start it, and say where it is found. Without Temporal the row stays, and the reconciler starts it."""
    response.headers["Location"] = f"/api/v1/promotions/{record.id}"
    try:
        await services.orchestrator.start_promotion(workflow_input(record))
    except Unavailable as error:
        _log.warning("promotion %s will be started later: %s", record.id, error.detail)
