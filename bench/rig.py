"""What is measured on: a durable Postgres, Temporal's dev server and a worker, each a process of its own, as `fairlead dev` has them."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from temporalio.client import Client

from fairlead.domain.errors import Unavailable
from fairlead.store.database import Database, libpq_url, migrate
from workers import temporal_server
from workers.access import Keys, connect, open_keys
from workers.children import Child
from workers.embedded_postgres import APP, EmbeddedPostgres
from workers.ports import free_port
from workers.settings import Settings

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Rig:
    """All that a measurement needs."""

    folder: Path
    settings: Settings
    postgres: EmbeddedPostgres
    db: Database
    client: Client
    keys: Keys
    processes: dict[str, int]

    def admin(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection that may read statistics."""
        return psycopg.connect(libpq_url(self.postgres.url("postgres")), autocommit=True)


@asynccontextmanager
async def running() -> AsyncIterator[Rig]:
    """A rig of its own in a scratch folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="flb-"))
    postgres = EmbeddedPostgres(folder / "postgres")
    children: list[Child] = []
    try:
        await asyncio.to_thread(_prepare, postgres)
        settings = Settings(data=folder, database_url=postgres.app_url, temporal_address=f"127.0.0.1:{free_port()}")
        children.append(_temporal(settings, folder))
        children[-1].start()
        client = await _connected(settings)
        children.append(_worker(settings, folder))
        children[-1].start()
        pids = {"postgres": postgres.pid or 0, **{child.name: child.pid or 0 for child in children}}
        db = Database(postgres.app_url)
        yield Rig(folder, settings, postgres, db, client, open_keys(settings), pids)
        db.dispose()
    finally:
        for child in reversed(children):
            child.stop(15)
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    migrate(postgres.owner_url)
    with psycopg.connect(libpq_url(postgres.owner_url), autocommit=True) as owner:
        owner.execute("CREATE SCHEMA bench")
        owner.execute("CREATE TABLE bench.raw (id bigserial PRIMARY KEY, number int, at timestamptz DEFAULT now())")
        owner.execute(f"GRANT USAGE ON SCHEMA bench TO {APP}")
        owner.execute(f"GRANT INSERT ON bench.raw TO {APP}")
        owner.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA bench TO {APP}")


def _temporal(settings: Settings, folder: Path) -> Child:
    port = int(settings.temporal_address.rpartition(":")[2])
    command = temporal_server.command(port=port, ui_port=free_port(), database=folder / "temporal.db")
    return Child("temporal", command, os.environ, log=folder / "temporal.log")


def _worker(settings: Settings, folder: Path) -> Child:
    environment = {
        **os.environ,
        "FAIRLEAD_DATA": str(settings.data),
        "FAIRLEAD_DATABASE_URL": settings.database_url,
        "FAIRLEAD_TEMPORAL_ADDRESS": settings.temporal_address,
    }
    return Child("worker", [sys.executable, "-m", "bench.worker"], environment, log=folder / "worker.log")


async def _connected(settings: Settings) -> Client:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await connect(settings)
            except Unavailable:
                await asyncio.sleep(0.1)


def memory(pid: int) -> float:
    """Megabytes of a process and its children; what they share is counted once."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(_proportional(each) for each in family) / 1e6


def _proportional(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0


def processor(pid: int) -> float:
    """Seconds of processor time that a process and its children have had."""
    times = [each.cpu_times() for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    return float(sum(t.user + t.system + t.children_user + t.children_system for t in times))


def launch(data: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `fairlead dev` on a folder."""
    any_ports = ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "fairlead.cli.main", "dev", "--data", str(data), *any_ports],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
