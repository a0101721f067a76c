"""Who is calling: a bearer key belongs to one subject of one project, or of all."""

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.services import Services
from fairlead.commands import keys
from fairlead.contracts.records import KeyRecord
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, Unauthenticated


async def caller_of(request: Request) -> KeyRecord:
    """Whose key the request carries, looked up once. Raises Unauthenticated (unauthenticated)."""
    if not hasattr(request.state, "caller"):
        request.state.caller = await run_in_threadpool(_authenticate, request)
    known: KeyRecord = request.state.caller
    return known


def _authenticate(request: Request) -> KeyRecord:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated(Code.UNAUTHENTICATED, "no bearer key", hint="send Authorization: Bearer KEY")
    services: Services = request.app.state.services
    with services.database.session() as s:
        return keys.authenticate(s, secret.strip(), services.now())


def owner_of(caller: KeyRecord) -> str:
    """Who a key belongs to; Idempotency-Keys of different owners never meet."""
    return f"{caller.project or '*'}/{caller.subject}"


def may_see(caller: KeyRecord, project: str) -> bool:
    """Whether the key reaches into a project."""
    return caller.project is None or caller.project == project


def require_project(caller: KeyRecord, project: str) -> None:
    """Raises NotAllowed (not_allowed) for another project's key, whether or not the project exists."""
    if not may_see(caller, project):
        raise NotAllowed(Code.NOT_ALLOWED, f"this key is for project {caller.project}, not {project}")


def is_admin(caller: KeyRecord) -> bool:
    """Whether the key may change people and keys."""
    return caller.scope == keys.ADMIN


def require_admin(caller: KeyRecord) -> None:
    """Raises NotAllowed (not_allowed) unless the key's scope is admin."""
    if not is_admin(caller):
        raise NotAllowed(Code.NOT_ALLOWED, "this needs a key of scope admin", fields={"scope": caller.scope})
