"""Bearer keys of a project, and whose key this one is."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from api.deps import AdminDep, CallerDep, ProjectDep, ServicesDep
from api.instants import Instant
from api.route import Route
from fairlead.commands import keys
from fairlead.contracts.base import Frozen, Strict
from fairlead.contracts.records import KeyRecord
from fairlead.store import keys as stored

router = APIRouter(tags=["keys"], route_class=Route)


class NewKey(Strict):
    """`subject`: a person of the catalogue, or `integration:NAME`."""

    subject: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Literal["admin", "member"] = "member"
    expires_at: Instant | None = None


class CreatedKey(KeyRecord):
    """`key` is the secret: shown this once, and null when the request is repeated."""

    key: str | None


class Keys(Frozen):
    """The keys of a project; secrets are kept nowhere."""

    items: tuple[KeyRecord, ...]


@router.post("/projects/{project}/keys", status_code=201)
def create_key(project: ProjectDep, wanted: NewKey, admin: AdminDep, services: ServicesDep) -> CreatedKey:
    """Make a bearer key."""
    made = keys.create_key(
        services.database,
        project=project,
        subject=wanted.subject,
        scope=wanted.scope,
        now=services.now(),
        actor=admin.subject,
        expires_at=wanted.expires_at,
    )
    return CreatedKey(**made.record.model_dump(), key=made.secret)


@router.get("/projects/{project}/keys")
def list_keys(project: ProjectDep, _: AdminDep, services: ServicesDep) -> Keys:
    """Whose keys there are."""
    with services.database.session() as s:
        return Keys(items=tuple(stored.list_keys(s, project)))


@router.delete("/projects/{project}/keys/{id}")
def revoke_key(
    project: ProjectDep, id: Annotated[str, Path(max_length=100)], admin: AdminDep, services: ServicesDep
) -> KeyRecord:
    """End a key for good; who is calling may end their own."""
    return keys.revoke_key(services.database, project=project, id=id, now=services.now(), actor=admin.subject)


@router.get("/whoami")
async def whoami(caller: CallerDep) -> KeyRecord:
    """Whose key the request carries."""
    return caller
