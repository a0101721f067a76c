"""Evaluating the gates of a realistic project: the body of the activity, with its reads and writes, without Temporal."""

import asyncio
import time

from activities.gates import GateActivities
from bench.figures import Section, median, percentile
from bench.noop import prepared
from bench.rig import Rig
from bench.shop import realistic
from fairlead.contracts.steps import EvaluateInput
from workers.clock import now

COMPONENTS, TARGETS, FINDINGS = 20, 20, 300
TIMES = 100


async def measure(rig: Rig) -> list[Section]:
    """Median and p95."""
    project = await prepared(rig, realistic("gates", COMPONENTS, TARGETS))
    for digest in project.release().values():
        await asyncio.to_thread(project.report, digest, FINDINGS)
    row = await asyncio.to_thread(project.request, "prod-0")
    took = await asyncio.to_thread(_evaluate, GateActivities(rig.db), row.id)
    section = Section("Evaluating four gates, no network")
    note = f"{COMPONENTS} components on {TARGETS} targets, {FINDINGS} findings in each report, {TIMES} times"
    section.add("median", 1e3 * median(took), "ms", note=note)
    section.add("p95", 1e3 * percentile(took, 0.95), "ms", note="reads and writes of a local Postgres included")
    return [section]


def _evaluate(gates: GateActivities, promotion: str) -> list[float]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        gates.evaluate(EvaluateInput(promotion=promotion, now=now()))
        took.append(time.perf_counter() - began)
    return took
