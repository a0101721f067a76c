"""Configuration: the layer below all projects, and where each value of a rendering comes from."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Body, Query

from api import poking
from api.deps import AdminDep, CallerDep, PlaceDep, ServicesDep
from api.route import Route
from fairlead.commands import configuration, plans
from fairlead.commands.releases import require_release
from fairlead.contracts.base import Frozen
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed
from fairlead.store import deployments

router = APIRouter(tags=["configuration"], route_class=Route)


class Explanation(Frozen):
    """`release`: whose components these are; None: of the catalogue, for nothing has run there and no release was named."""

    environment: str
    release: str | None
    components: tuple[configuration.ExplainedComponent, ...]


@router.get("/config")
def show_global_config(caller: CallerDep, services: ServicesDep) -> configuration.GlobalConfig:
    """The installation's layer."""
    with services.database.session() as s:
        return configuration.global_config(s)


@router.put("/config")
def set_global_config(
    document: Annotated[dict[str, Any], Body()], caller: AdminDep, services: ServicesDep, background: BackgroundTasks
) -> configuration.GlobalConfig:
    """Set the installation's layer; needs an admin key of all projects. Idempotent."""
    if caller.project is not None:
        raise NotAllowed(Code.NOT_ALLOWED, "this needs an admin key of all projects, not of one")
    made = configuration.set_global_config(services.database, document, actor=caller.subject, now=services.now())
    background.add_task(poking.poke_all, services)
    return made


@router.get("/projects/{project}/environments/{env}/config")
def explain_config(
    place: PlaceDep,
    services: ServicesDep,
    target: Annotated[str | None, Query(max_length=100)] = None,
    release: Annotated[str | None, Query(max_length=200)] = None,
) -> Explanation:
    """Every value that components have on the environment's targets, with the layer, revision and person that it comes from."""
    environment, targets = configuration.explained_targets(place.catalogue, place.name, target)
    with services.database.session() as s:
        last = deployments.last_verified(s, place.project, place.name)
        version = release or (last.release if last else None)
        record = require_release(s, place.project, version) if version else None
        components = plans.frozen_components(s, record) if record else dict(place.catalogue.components)
        layering = configuration.Layering(s, place.catalogue, record)
        explained = tuple(
            configuration.explain(layering, environment, found, component)
            for found in targets
            for component in components.values()
        )
    return Explanation(environment=place.name, release=version, components=explained)
