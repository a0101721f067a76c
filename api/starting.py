"""Starting the workflow of a promotion whose row is written."""

import logging

from fastapi import Response

from api.services import Services
from fairlead.commands.promotions import workflow_input
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.errors import Unavailable

_log = logging.getLogger(__name__)


async def start(services: Services, record: PromotionRecord, response: Response) -> None:
    """Start it, and say where it is found. Without Temporal the row stays, and the reconciler starts it."""
    response.headers["Location"] = f"/api/v1/promotions/{record.id}"
    try:
        await services.orchestrator.start_promotion(workflow_input(record))
    except Unavailable as error:
        _log.warning("promotion %s will be started later: %s", record.id, error.detail)
