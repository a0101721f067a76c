"""What the server can tell of its own health: database and schema, Temporal, workers, what targets need installed, and the caller's key."""

from datetime import datetime, timedelta
from importlib.util import find_spec

from fastapi.concurrency import run_in_threadpool

from api.services import Services
from fairlead.contracts import names
from fairlead.contracts.records import KeyRecord
from fairlead.domain.errors import Unavailable
from fairlead.domain.grades import Finding, bad, doubtful, good
from fairlead.domain.target_kinds import winrm_host
from fairlead.store import migrating, projects
from fairlead.store.database import Database

_TICKETS = ("gssapi", "krb5")
EXPIRES_SOON = timedelta(days=7)
_QUEUES = {
    names.QUEUE_CONTROL: "promotions are taken, but nothing moves",
    names.QUEUE_TARGETS: "deployments start, but no target is touched",
}


async def examine(services: Services, caller: KeyRecord) -> tuple[Finding, ...]:
    """Look at everything; what cannot be reached is a finding, never an error."""
    return (
        await run_in_threadpool(_database, services.database),
        *await _temporal(services),
        *await run_in_threadpool(_kerberos, services.database, caller.project),
        _key(caller, services.now()),
    )


def _database(database: Database) -> Finding:
    try:
        with database.session() as s:
            present = migrating.revision(s)
    except Unavailable as error:
        return bad("database", error.detail, "is Postgres running, and is FAIRLEAD_DATABASE_URL right?")
    newest = migrating.newest()
    if present != newest:
        return bad("database", f"the schema is at {present}, this server needs {newest}", "fairlead db upgrade")
    return good("database", f"Postgres answers, the schema is at {present}")


async def _temporal(services: Services) -> tuple[Finding, ...]:
    try:
        pollers = {queue: await services.orchestrator.pollers(queue) for queue in _QUEUES}
    except Unavailable as error:
        return (bad("temporal", error.detail, "is Temporal running, and is FAIRLEAD_TEMPORAL_ADDRESS right?"),)
    return (good("temporal", "Temporal answers"), *(_queue(queue, count) for queue, count in pollers.items()))


def _queue(queue: str, pollers: int) -> Finding:
    check = f"worker of {queue}"
    if not pollers:
        return bad(check, f"no worker has asked for work lately: {_QUEUES[queue]}", "fairlead serve worker")
    return good(check, f"{pollers} of them ask for work")


def _kerberos(database: Database, project: str | None) -> tuple[Finding, ...]:
    """Targets that want tickets. Workers may run elsewhere; but what was not installed with the server was hardly installed with them."""
    try:
        with database.session() as s:
            known = projects.targets(s)
    except Unavailable:
        return ()
    wanting = [name for of, name, document in known if project in (None, of) and winrm_host.by_ticket(document)]
    if not wanting:
        return ()
    if all(find_spec(library) for library in _TICKETS):
        return (good("kerberos", "its libraries are here"),)
    detail = f"{', '.join(wanting)} log in by Kerberos, and its libraries are not installed here"
    return (doubtful("kerberos", detail, "install fairlead[kerberos] where the workers run"),)


def _key(caller: KeyRecord, now: datetime) -> Finding:
    reach = f"of {caller.subject}, {caller.scope}"
    if caller.expires_at is None:
        return good("bearer key", f"{reach}; it does not expire")
    if caller.expires_at - now < EXPIRES_SOON:
        detail = f"{reach}; it expires at {caller.expires_at.isoformat()}"
        return doubtful("bearer key", detail, f"fairlead keys new --api {caller.subject}")
    return good("bearer key", f"{reach}; until {caller.expires_at.isoformat()}")
