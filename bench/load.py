"""What one worker and the dev server carry, what limits it, and what a promotion leaves behind."""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psutil
import psycopg

from bench.figures import Section, median
from bench.hops import trace
from bench.noop import prepared
from bench.rig import Rig, memory, processor
from bench.shop import Project, small

CLIENTS = (1, 4, 16)
SECONDS = 12.0
LEFT_BEHIND = 8
FLUSH_SECONDS = 1.5
"""Postgres' statistics come up to a second late."""

Tables = Mapping[str, tuple[int, int]]
"""Rows and their bytes, by table."""


async def measure(rig: Rig) -> list[Section]:
    """Left behind first, while nothing else runs."""
    project = await prepared(rig, small("load", max(CLIENTS), approval=False))
    voted = await prepared(rig, small("left"))
    left = await _left_behind(rig, voted)
    carried = Section("Carried by one worker and the dev server: closed loop, 3 gates without votes, targets in memory")
    peaks: dict[str, float] = {}
    for clients in CLIENTS:
        await _carry(rig, project, clients, carried, peaks)
    for name, megabytes in peaks.items():
        carried.add(f"peak memory, {name}", megabytes, "MB", note="looked at twice a second")
    return [left, carried]


async def _carry(rig: Rig, project: Project, clients: int, section: Section, peaks: dict[str, float]) -> None:
    """So many clients, each with an environment of its own, promote again and again."""
    pids = {**rig.processes, "clients": os.getpid()}
    before = {name: processor(pid) for name, pid in pids.items() if name != "clients"}
    own = psutil.Process().cpu_times()
    began = time.perf_counter()
    looking = asyncio.create_task(_look(rig, peaks))
    took = await asyncio.gather(*(_promote_until(project, n, began + SECONDS) for n in range(clients)))
    passed = time.perf_counter() - began
    looking.cancel()
    mine = psutil.Process().cpu_times()
    busy = {name: (processor(rig.processes[name]) - spent) / passed for name, spent in before.items()}
    busy["clients"] = (mine.user + mine.system - own.user - own.system) / passed
    done = [seconds for each in took for seconds in each]
    cores = ", ".join(f"{name} {share:.2f}" for name, share in busy.items())
    section.add(f"{clients} at once", len(done) / passed, "promotions/s", note=f"cores busy: {cores}")
    section.add(f"{clients} at once, each takes", 1e3 * median(done), "ms", note="median")


async def _promote_until(project: Project, number: int, end: float) -> list[float]:
    took = []
    while time.perf_counter() < end:
        took.append((await project.promote(f"prod-{number}"))[1])
    return took


async def _look(rig: Rig, peaks: dict[str, float]) -> None:
    while True:
        for name, pid in rig.processes.items():
            peaks[name] = max(peaks.get(name, 0.0), await asyncio.to_thread(memory, pid))
        await asyncio.sleep(0.5)


async def _left_behind(rig: Rig, project: Project) -> Section:
    section = Section("Left behind by one promotion: 4 gates, 1 vote, 1 target")
    await project.promote("prod-0", votes=True)
    await asyncio.sleep(FLUSH_SECONDS)
    rows, log, commits = await asyncio.to_thread(_counted, rig)
    traces = []
    for _ in range(LEFT_BEHIND):
        since = time.time()  # as the server on this machine tells the time
        row, _ = await project.promote("prod-0", votes=True)
        await asyncio.sleep(0.2)
        traces.append(await trace(rig.client, row.id, (project.name, "prod-0"), since, time.time()))
    await asyncio.sleep(FLUSH_SECONDS)
    after, log_after, commits_after = await asyncio.to_thread(_counted, rig)
    events = "promotion, deployment and their part of the lane"
    section.add("Temporal events", median([found.events for found in traces]), "", note=events)
    section.add(
        "Temporal history", median([found.bytes for found in traces]) / 1e3, "kB", note="as it goes over the wire"
    )
    section.add("activities", median([len(found.activities) for found in traces]), "")
    section.add("workflow tasks", median([len(found.workflow_tasks) for found in traces]), "")
    more = {name: (n - rows[name][0], b - rows[name][1]) for name, (n, b) in after.items()}
    most = sorted(more.items(), key=lambda each: -each[1][0])[:4]
    note = ", ".join(f"{name} {n / LEFT_BEHIND:.1f}" for name, (n, _) in most)
    section.add("Postgres rows", sum(n for n, _ in more.values()) / LEFT_BEHIND, "", note=f"most: {note}")
    section.add("Postgres bytes in rows", sum(b for _, b in more.values()) / LEFT_BEHIND / 1e3, "kB", note="no indexes")
    section.add(
        "Postgres write-ahead log", (log_after - log) / LEFT_BEHIND / 1e3, "kB", note="indexes and full pages too"
    )
    section.add(
        "Postgres transactions", (commits_after - commits) / LEFT_BEHIND, "", note="those of the waiting voter too"
    )
    return section


def _counted(rig: Rig) -> tuple[Tables, int, int]:
    """Rows and bytes of all our tables, the position in the write-ahead log, and the commits."""
    with closing(rig.admin()) as admin:
        names = admin.execute("SELECT schemaname || '.' || relname FROM pg_stat_user_tables").fetchall()
        counts = {name: _size(admin, name) for (name,) in names}
        at = admin.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint,"
            " (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())"
        ).fetchone()
    assert at is not None
    return counts, int(at[0]), int(at[1])


def _size(admin: psycopg.Connection[tuple[Any, ...]], table: str) -> tuple[int, int]:
    """Rows, and the bytes in them."""
    counting = f"SELECT count(*), coalesce(sum(pg_column_size(t.*)), 0)::bigint FROM {table} t"  # noqa: S608
    row = admin.execute(counting.encode()).fetchone()
    assert row is not None
    return row[0], row[1]
