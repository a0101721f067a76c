"""Which environments have to be looked at for drift, beside the Schedules that are there: Postgres says what is wanted."""

import logging

from sqlmodel import Session
from temporalio.client import Client

from fairlead.adapters import schedules
from fairlead.adapters.schedules import Watching
from fairlead.contracts import names
from fairlead.domain.durations import parse_duration
from fairlead.domain.errors import FairleadError
from fairlead.store import projects

_DEFAULT = "5m"
"""For catalogues that were applied before they could say."""
_log = logging.getLogger(__name__)


def wanted_watches(s: Session) -> dict[str, Watching]:
    """By the Schedule's id, what is to be looked at and how often."""
    return {
        names.drift_watch(project, name): Watching(project, name, parse_duration(_every(document)))
        for project, name, document in projects.environments(s)
    }


async def keep_watches(client: Client, wanted: dict[str, Watching]) -> tuple[str, ...]:
    """Make, change and remove Schedules until they are those wanted; answers the ids of those that were not."""
    known = await schedules.watches(client)
    touched = []
    for id in sorted({*known, *wanted}):
        if id in wanted and known.get(id) == wanted[id].every:
            continue
        try:
            await schedules.set_watch(client, id, wanted.get(id), is_known=id in known)
        except FairleadError as error:  # the others are looked after all the same
            _log.warning("the watch %s could not be kept: %s", id, error.detail)
            continue
        touched.append(id)
    return tuple(touched)


def _every(document: dict[str, object]) -> str:
    rule = document.get("drift")
    return str(rule.get("every", _DEFAULT)) if isinstance(rule, dict) else _DEFAULT
