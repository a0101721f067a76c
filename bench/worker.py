"""The worker that is measured: Fairlead's own with targets in memory, and beside it in the same process one for the raw workflow."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from agents.memory import MemoryHost, World
from bench import raw
from fairlead.domain.catalogue import TargetType
from fairlead.ports import NoFailPoints
from fairlead.store.database import Database
from workers.access import connect, open_keys
from workers.plugin import build_plugin
from workers.secret_places import open_secrets
from workers.settings import Settings
from workers.wiring import build_activities, build_executors
from workers.worker import CONNECTIONS, STICKY_TIMEOUT, build_workers, run_workers

RAW_THREADS = 50


def raw_worker(client: Client, db: Database) -> Worker:
    """Converter, sandbox and pool of threads as the real one has them."""

    @activity.defn(name=raw.ACTIVITY)
    def write(number: int) -> None:
        with db.session() as s:
            s.execute(text("INSERT INTO bench.raw (number) VALUES (:number)"), {"number": number})

    plain = Client(client.service_client, namespace=client.namespace, plugins=[build_plugin(workflows=())])
    return Worker(
        plain,
        task_queue=raw.QUEUE,
        build_id="bench",
        workflows=[raw.RawWorkflow],
        activities=[write],
        activity_executor=ThreadPoolExecutor(RAW_THREADS, "raw"),
        max_concurrent_activities=RAW_THREADS,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
    )


async def serve(settings: Settings) -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await connect(settings)
    db = Database(settings.database_url, pool_size=CONNECTIONS)
    points = NoFailPoints()
    executors = {
        **build_executors(settings, points, open_secrets(settings)),
        TargetType.PROCESS_HOST: MemoryHost(World()),
    }
    activities = build_activities(db, client, open_keys(settings), executors, points)
    await run_workers((*build_workers(client, activities), raw_worker(client, db)), stop)


if __name__ == "__main__":
    asyncio.run(serve(Settings()))
