"""The worker process: workflows and deciding activities on one queue, target activities on another, and the Schedule of the sweep."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.worker import Worker

from fairlead import __version__
from fairlead.contracts import names
from fairlead.domain.catalogue_links import MAX_TARGETS
from fairlead.domain.errors import Unavailable
from fairlead.store.database import Database
from workers import wiring
from workers.access import connect, open_keys
from workers.artifact_places import open_artifacts
from workers.fail_points import fail_points
from workers.plugin import build_plugin
from workers.secret_places import open_secrets
from workers.settings import Settings
from workers.shadow import refuse_shadowed

CONTROL_SLOTS = 200
"""Every place in a lane is watched by an activity, so there are many; few of them need a thread at a time."""
TARGET_SLOTS = MAX_TARGETS + 50
"""Most of a step on a target waits for a machine: no target of a wave should wait for another's, nor a look elsewhere for the wave."""
STICKY_TIMEOUT = timedelta(seconds=2)
GRACE = timedelta(seconds=5)
CONNECTIONS = 20
CONNECT_SECONDS = 60.0
CONNECT_PAUSE = 0.25


def build_workers(client: Client, activities: wiring.Activities) -> tuple[Worker, Worker]:
    """One worker for each queue; only the first takes workflows. Without a build id the SDK would hash every module, for seconds."""
    without_workflows = Client(client.service_client, namespace=client.namespace, plugins=[build_plugin(workflows=())])
    return (
        Worker(
            client,
            task_queue=names.QUEUE_CONTROL,
            build_id=__version__,
            activities=activities.control,
            activity_executor=ThreadPoolExecutor(CONTROL_SLOTS, "control"),
            max_concurrent_activities=CONTROL_SLOTS,
            sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            without_workflows,
            task_queue=names.QUEUE_TARGETS,
            build_id=__version__,
            activities=activities.targets,
            activity_executor=ThreadPoolExecutor(TARGET_SLOTS, "targets"),
            max_concurrent_activities=TARGET_SLOTS,
            graceful_shutdown_timeout=GRACE,
        ),
    )


async def ensure_schedule(client: Client, every: timedelta) -> None:
    """Have Temporal run the sweep, now and then regularly; one that is scheduled already stays as it is."""
    sweep = ScheduleActionStartWorkflow(
        names.RECONCILE,
        id=names.RECONCILE_SCHEDULE,
        task_queue=names.QUEUE_CONTROL,
        static_summary="Mend what no workflow is there to do",
    )
    schedule = Schedule(
        action=sweep,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP),
    )
    with contextlib.suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(names.RECONCILE_SCHEDULE, schedule, trigger_immediately=True)


async def run_workers(workers: Sequence[Worker], stop: asyncio.Event) -> None:
    """Run until told to stop, then let what is in flight end within its grace."""
    async with contextlib.AsyncExitStack() as running:
        for worker in workers:
            await running.enter_async_context(worker)
        await stop.wait()


async def serve(settings: Settings) -> None:
    """Be a worker until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await _connect_patiently(settings)
    db = Database(settings.database_url, pool_size=CONNECTIONS)
    points = fail_points(settings.fail_points)
    secrets = open_secrets(settings)
    executors = wiring.build_executors(settings, points, secrets)
    kept = open_artifacts(settings, db)
    activities = wiring.build_activities(db, client, open_keys(settings), executors, points, secrets, kept)
    try:
        await ensure_schedule(client, timedelta(seconds=settings.reconcile_every))
        await run_workers(build_workers(client, activities), stop)
    finally:
        secrets.close()
        db.dispose()


async def _connect_patiently(settings: Settings) -> Client:
    """Temporal may come up after us."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + CONNECT_SECONDS
    while True:
        try:
            return await connect(settings)
        except Unavailable:
            if loop.time() > deadline:
                raise
            await asyncio.sleep(CONNECT_PAUSE)


def main() -> None:
    """Run this process as a worker, as its settings say."""
    logging.basicConfig(level=logging.INFO, format="worker %(levelname)s %(name)s: %(message)s")
    refuse_shadowed()
    asyncio.run(serve(Settings()))


if __name__ == "__main__":
    main()
