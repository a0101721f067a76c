"""What endpoints ask for: the services, who calls, and the project, environment or promotion that the path names."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer
from sqlmodel import Session

from api.auth import caller_of, may_see, owner_of, require_admin, require_project
from api.idempotency import update_id
from api.services import Services
from fairlead.commands.catalogue import of_project
from fairlead.commands.ids import id_from
from fairlead.commands.promotions import require_environment
from fairlead.contracts.records import DeploymentRecord, KeyRecord, PromotionRecord
from fairlead.domain.catalogue import Catalogue, Environment
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict, NotFound
from fairlead.store import deployments, projects, promotions

# Only so that the OpenAPI document says how to authenticate; caller_of does it.
SCHEME = HTTPBearer(auto_error=False, description="a key made by `fairlead keys new --api SUBJECT`")


def services_of(request: Request) -> Services:
    """The services the application was made with."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
CallerDep = Annotated[KeyRecord, Depends(caller_of)]


def _admin(caller: CallerDep) -> KeyRecord:
    require_admin(caller)
    return caller


def _project(project: Annotated[str, Path(max_length=100)], caller: CallerDep) -> str:
    require_project(caller, project)
    return project


AdminDep = Annotated[KeyRecord, Depends(_admin)]
ProjectDep = Annotated[str, Depends(_project)]
"""The name of a project that the key reaches into; whether it exists is for the command to say."""


@dataclass(frozen=True, slots=True)
class Place:
    """An environment of a project, by the catalogue of now."""

    project: str
    catalogue: Catalogue
    environment: Environment

    @property
    def name(self) -> str:
        return self.environment.name


def place_of(s: Session, project: str, environment: str) -> Place:
    """An environment by name. Raises NotFound (project_not_found, environment_not_found)."""
    known = of_project(s, project)
    return Place(project, known, require_environment(known, environment))


def _place(project: ProjectDep, env: Annotated[str, Path(max_length=100)], services: ServicesDep) -> Place:
    with services.database.session() as s:
        return place_of(s, project, env)


PlaceDep = Annotated[Place, Depends(_place)]


def find_promotion(s: Session, caller: KeyRecord, prefix: str) -> PromotionRecord:
    """A promotion by id or unique prefix, where the key reaches. Raises NotFound (promotion_not_found), Conflict (ambiguous_id)."""
    exact = promotions.get(s, prefix)
    if exact is not None and may_see(caller, exact.project):
        return exact
    reach = [caller.project] if caller.project is not None else projects.names(s)
    found = [record for project in reach for record in promotions.find(s, project, prefix)]
    if not found:
        raise NotFound(Code.PROMOTION_NOT_FOUND, f"there is no promotion {prefix!r:.60}")
    if len(found) > 1:
        raise Conflict(
            Code.AMBIGUOUS_ID,
            f"several promotions begin with {prefix}",
            fields={"ids": [record.id for record in found]},
        )
    return found[0]


def find_deployment(s: Session, caller: KeyRecord, prefix: str) -> DeploymentRecord:
    """A deployment by its promotion's id or unique prefix, with `.rollback` for the rollback. Raises NotFound, Conflict."""
    start, dot, which = prefix.partition(".")
    promotion = find_promotion(s, caller, start)
    record = deployments.get(s, f"{promotion.id}{dot}{which}")
    if record is None:
        raise NotFound(Code.DEPLOYMENT_NOT_FOUND, f"there is no deployment {prefix!r:.60}")
    return record


def _promotion(
    id: Annotated[str, Path(min_length=1, max_length=100, description="id or unique prefix")],
    caller: CallerDep,
    services: ServicesDep,
) -> PromotionRecord:
    with services.database.session() as s:
        return find_promotion(s, caller, id)


def _update_id(request: Request, caller: CallerDep) -> str:
    return update_id(request, owner_of(caller))


def _new_id(update_id: Annotated[str, Depends(_update_id)]) -> str:
    return id_from(update_id)


PromotionDep = Annotated[PromotionRecord, Depends(_promotion)]
UpdateIdDep = Annotated[str, Depends(_update_id)]
NewIdDep = Annotated[str, Depends(_new_id)]
"""The id of what this request makes: the same when it is repeated with its Idempotency-Key."""
