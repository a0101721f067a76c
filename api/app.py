"""The FastAPI application, made from its services."""

from fastapi import APIRouter, Depends, FastAPI

import fairlead
from api import problems
from api.deps import SCHEME
from api.metrics import CountRequests, Metrics
from api.routes import (
    configuration,
    deployments,
    doctor,
    environments,
    keys,
    logs,
    projects,
    promotions,
    releases,
    reports,
    retirements,
    system,
    targets,
)
from api.services import Services

BASE = "/api/v1"
_SUBJECTS = (
    projects,
    releases,
    reports,
    promotions,
    deployments,
    environments,
    targets,
    retirements,
    keys,
    doctor,
    configuration,
    logs,
)


def create_app(services: Services) -> FastAPI:
    """The API of interface.md 4 over these services; `workers` serves it with uvicorn."""
    app = FastAPI(
        title="Fairlead",
        version=fairlead.__version__,
        summary="A release control plane for containers that do not run on Kubernetes",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.state.metrics = Metrics()
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    problems.install(app)
    app.include_router(system.router)
    app.include_router(_versioned())
    return app


def _versioned() -> APIRouter:
    router = APIRouter(prefix=BASE, responses={"default": problems.DESCRIBED}, dependencies=[Depends(SCHEME)])
    for subject in _SUBJECTS:
        router.include_router(subject.router)
    router.include_router(environments.listing)
    return router
