"""What machines ask of the server itself; nothing here needs a key."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlmodel import select

from api.deps import ServicesDep
from api.metrics import MEDIA_TYPE
from api.services import Services
from fairlead.contracts.base import Frozen
from fairlead.domain.errors import Unavailable

router = APIRouter(tags=["system"])


class Readiness(Frozen):
    """`checks`: what each part said of itself."""

    status: Literal["ready", "unavailable"]
    checks: dict[str, str]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
async def readyz(services: ServicesDep) -> Response:
    """Ready when Postgres answers. Without Temporal it still reads, and takes requests that are started later."""
    database = await run_in_threadpool(_database, services)
    checks = {"database": database, "temporal": await _temporal(services)}
    ready = database == "ok"
    answer = Readiness(status="ready" if ready else "unavailable", checks=checks)
    return JSONResponse(answer.model_dump(), status_code=200 if ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    return PlainTextResponse(request.app.state.metrics.text(), media_type=MEDIA_TYPE)


def _database(services: Services) -> str:
    try:
        with services.database.session() as s:
            s.exec(select(1)).one()
    except Unavailable as error:
        return error.detail
    return "ok"


async def _temporal(services: Services) -> str:
    try:
        await services.orchestrator.check()
    except Unavailable as error:
        return error.detail
    return "ok"
