"""After a fact was stored: a hint to every open promotion that it may concern."""

import asyncio

from fastapi.concurrency import run_in_threadpool

from api.services import Services
from fairlead.store import promotions

_AT_ONCE = 10


async def poke_project(services: Services, project: str) -> None:
    """Hint to a project's open promotions to judge again."""
    await _poke(services, await run_in_threadpool(_open, services, project))


async def poke_all(services: Services) -> None:
    """Hint to the open promotions of all projects."""
    await _poke(services, await run_in_threadpool(_unended, services))


async def _poke(services: Services, ids: list[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        await asyncio.gather(*(services.orchestrator.poke(id) for id in ids[start : start + _AT_ONCE]))


def _open(services: Services, project: str) -> list[str]:
    with services.database.session() as s:
        return [record.id for record in promotions.open_in(s, project)]


def _unended(services: Services) -> list[str]:
    with services.database.session() as s:
        return [record.id for record in promotions.unended(s)]
