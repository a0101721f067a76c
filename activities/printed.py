"""What applications print, on its way into the store: read through executors, masked, bounded; while they start, again and again."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session
from temporalio import activity

from activities import lookup
from activities.observing import Eyes
from fairlead.commands import plans
from fairlead.contracts.logs import MOST_BYTES, MOST_LINES, LogsRead, ReadLogs
from fairlead.contracts.records import LogRecord
from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import TargetSpec
from fairlead.domain.errors import FairleadError
from fairlead.domain.printed import presentable
from fairlead.ports import Secrets
from fairlead.store import deployments, logs
from fairlead.store.database import Database

LISTEN_FIRST_SECONDS = 0.5
LISTEN_EVERY_SECONDS = 2.0
KEPT_LINES = 200
"""Of what starts; whoever asks may have more."""
Clock = Callable[[], datetime]
Values = Callable[[], tuple[str, ...] | None]
"""All secrets that may be printed somewhere; None while they cannot be had."""
_log = logging.getLogger(__name__)


def clock() -> Clock:
    """What time it is, by when Temporal says that this activity started."""
    started, since = activity.info().started_time, time.monotonic()
    return lambda: started + timedelta(seconds=time.monotonic() - since)


class Ears:
    """Hears what runs on targets. No line leaves here unmasked."""

    def __init__(self, db: Database, eyes: Eyes, secrets: Secrets) -> None:
        self._db, self._eyes, self._secrets = db, eyes, secrets

    def read(self, request: ReadLogs) -> LogsRead:
        """Keep the last lines of what runs on a target now; why not, where they cannot be had."""
        with self._db.session() as s:
            spec = _now_on(s, request.project, request.target)
        if spec is None:
            return LogsRead()
        names = [part.name for part in spec.components if request.component in {None, part.name}]
        try:
            self._keep(spec, names, min(request.lines, MOST_LINES), clock(), partial(self._values, spec))
        except FairleadError as error:
            return LogsRead(deployment=spec.deployment, code=str(error.code), detail=error.detail)
        return LogsRead(deployment=spec.deployment, components=tuple(names))

    @contextmanager
    def listening(self, spec: TargetSpec) -> Iterator[None]:
        """Keep what is printed while the work on a target goes on: what fails may be gone from there a moment later."""
        done = threading.Event()
        thread = threading.Thread(target=self._listen, args=(spec, clock(), done), name="ears", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()  # and not joined: a target that does not answer must not hold up the work

    def _listen(self, spec: TargetSpec, now: Clock, done: threading.Event) -> None:
        names = [part.name for part in spec.components]
        pause, values = LISTEN_FIRST_SECONDS, _once_known(partial(self._values, spec))
        while not done.wait(pause):
            pause = LISTEN_EVERY_SECONDS
            try:
                self._keep(spec, names, KEPT_LINES, now, values, done)
            except FairleadError as error:
                _log.debug("nothing is heard of %s: %s", spec.target, error.code)

    def _keep(
        self,
        spec: TargetSpec,
        names: Sequence[str],
        lines: int,
        now: Clock,
        values: Values,
        done: threading.Event | None = None,
    ) -> None:
        executor, address = self._eyes.executor(spec), plans.address(spec)
        printed = {name: executor.logs(address, name, lines) for name in names}
        if done is not None and done.is_set():  # the work is over: who knows what is there by now
            return
        masked = values() if any(printed.values()) else ()
        with self._db.session() as s:
            for name, text in printed.items():
                logs.put(s, _record(spec, name, presentable(text, masked, lines=lines, most=MOST_BYTES), now()))

    def _values(self, spec: TargetSpec) -> tuple[str, ...] | None:
        """Those of this specification, and of what was verified and may still run."""
        with self._db.session() as s:
            before = _verified_on(s, spec.project, spec.environment, spec.target)
        uses = {use for each in (spec, before) if each for use in _uses(each)}
        try:
            return tuple(self._secrets.read(use) for use in sorted(uses, key=lambda use: (use.reference, use.version)))
        except FairleadError:
            return None


def _once_known(read: Values) -> Values:
    """Their versions are of the plan and do not change, so that whoever keeps them is asked once."""
    known: tuple[str, ...] | None = None

    def values() -> tuple[str, ...] | None:
        nonlocal known
        known = read() if known is None else known
        return known

    return values


def _uses(spec: TargetSpec) -> Iterator[SecretUse]:
    for component in spec.components:
        yield from (component.config.secrets or {}).values()


def _now_on(s: Session, project: str, target: str) -> TargetSpec | None:
    """What a deployment is just bringing there, else what was verified there last."""
    catalogue = lookup.project_catalogue(s, project)
    place = next((e.name for e in catalogue.environments.values() if target in e.targets), None)
    if place is None:
        return None
    for deployment in reversed(deployments.running(s, project, place)):
        task = deployments.task(s, deployment.id, target)
        if task is not None and task.touched and not task.retire:
            return plans.target_spec(s, deployment, task)
    return _verified_on(s, project, place, target)


def _verified_on(s: Session, project: str, environment: str, target: str) -> TargetSpec | None:
    task = deployments.last_verified_task(s, project, environment, target)
    return plans.target_spec(s, lookup.deployment(s, task.deployment), task) if task else None


def _record(spec: TargetSpec, component: str, text: str, now: datetime) -> LogRecord:
    return LogRecord(
        project=spec.project,
        target=spec.target,
        deployment=spec.deployment,
        component=component,
        time=now,
        text=text,
    )
