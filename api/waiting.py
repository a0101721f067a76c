"""Long polls: answer when a promotion has moved, at the latest after the time asked for."""

import asyncio

from fastapi.concurrency import run_in_threadpool

from api.services import Services
from fairlead.contracts import names
from fairlead.contracts.records import PromotionRecord
from fairlead.domain.codes import Code
from fairlead.domain.durations import parse_duration
from fairlead.domain.errors import BadInput
from fairlead.store import deployments

MAX_SECONDS = 60.0


def seconds_of(wait: str) -> float:
    """How long a client is ready to wait. Raises BadInput (bad_duration)."""
    try:
        return min(parse_duration(wait), MAX_SECONDS)
    except ValueError as error:
        raise BadInput(Code.BAD_DURATION, f"wait: {error}") from error


async def until_moved(services: Services, promotion: PromotionRecord, after: int, seconds: float) -> None:
    """Return when the promotion has an event later than `after`, one of its deployments has moved, or the time is over."""
    if promotion.state.is_terminal or promotion.sequence > after:
        return
    subjects = await run_in_threadpool(_subjects, services, promotion, after)
    waits = [
        asyncio.create_task(services.wakeups.wait(subject, sequence, seconds)) for subject, sequence in subjects.items()
    ]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    for wait in done:
        wait.result()


def _subjects(services: Services, promotion: PromotionRecord, after: int) -> dict[str, int]:
    """What to listen for, each with the last sequence known."""
    with services.database.session() as s:
        open_ones = [d for d in deployments.of_promotion(s, promotion.id) if not d.state.is_terminal]
    moving = {names.deployment_subject(d.id): d.sequence for d in open_ones}
    return {names.promotion_subject(promotion.id): after, **moving}
