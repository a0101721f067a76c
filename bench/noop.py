"""A promotion that has nothing to do, beside a raw workflow with as many activities, by turns on the same server."""

import asyncio
import time
from collections import defaultdict

from bench import raw
from bench.figures import Section, median
from bench.hops import Hop, Trace, trace
from bench.rig import Rig
from bench.shop import Project, small

ROUNDS = 15
WARM_UP = 3
SETTLE_SECONDS = 0.15
"""What the lane still does after the promotion has ended must not slow the raw workflow."""
GOAL = 1.5
ENVIRONMENT = "prod-0"


async def prepared(rig: Rig, document: dict[str, object]) -> Project:
    """A project whose release is verified in dev and has its report."""
    project = await asyncio.to_thread(Project, rig, document)
    for digest in (await asyncio.to_thread(project.release)).values():
        await asyncio.to_thread(project.report, digest, 20)
    await project.promote("dev")
    return project


async def measure(rig: Rig) -> list[Section]:
    """The ratio, and where the time goes."""
    project = await prepared(rig, small("noop"))
    for _ in range(WARM_UP):
        await _promotion(rig, project)
    _, sample = await _promotion(rig, project)
    count = len(sample.activities)
    await _raw(rig, count)
    ours, bare, traces = [], [], []
    for _ in range(ROUNDS):
        took, found = await _promotion(rig, project)
        ours.append(took)
        traces.append(found)
        bare.append(await _raw(rig, count))
    return [_ratio(ours, bare, count, traces), _breakdown(traces)]


async def _promotion(rig: Rig, project: Project) -> tuple[float, Trace]:
    since = time.time()  # as the server on this machine tells the time
    row, took = await project.promote(ENVIRONMENT, votes=True)
    await asyncio.sleep(SETTLE_SECONDS)
    return took, await trace(rig.client, row.id, (project.name, ENVIRONMENT), since, time.time())


async def _raw(rig: Rig, count: int) -> float:
    began = time.perf_counter()
    await rig.client.execute_workflow(raw.NAME, count, id=f"raw/{began}", task_queue=raw.QUEUE)
    return time.perf_counter() - began


def _ratio(ours: list[float], bare: list[float], count: int, traces: list[Trace]) -> Section:
    section = Section("No-op promotion, 4 gates, 1 vote, 1 target in memory / raw workflow with as many activities")
    section.add("promotion, request to succeeded", 1e3 * median(ours), "ms", note=f"median of {len(ours)} by turns")
    section.add(f"raw workflow, {count} activities", 1e3 * median(bare), "ms", note="one row each, one after the other")
    ratio = median([a / b for a, b in zip(ours, bare, strict=True)])
    section.add("ratio", ratio, "x", goal=GOAL, note="median of the rounds' ratios")
    working = median([found.working for found in traces])
    section.add("of it, an activity runs", 1e3 * working, "ms")
    section.add("of it, none does: Temporal and its client", 1e3 * (median(ours) - working), "ms")
    return section


def _breakdown(traces: list[Trace]) -> Section:
    """Medians over the promotions of the sum for each kind of hop."""
    section = Section("By hop, per promotion (hops run side by side: the sum is more than the whole)")
    kinds: dict[str, list[list[Hop]]] = defaultdict(list)
    for name in sorted({hop.name for found in traces for hop in found.hops}):
        kinds[name] = [[hop for hop in found.hops if hop.name == name] for found in traces]
    by_run = sorted(kinds.items(), key=lambda kind: -median([_run(hops) for hops in kind[1]]))
    for name, rounds in by_run:
        waiting = 1e3 * median([sum(hop.started - hop.scheduled for hop in hops) for hops in rounds])
        times = median([len(hops) for hops in rounds])
        section.add(
            name,
            1e3 * median([_run(h) for h in rounds]),
            "ms",
            note=f"{times:g} times, {waiting:.1f} ms until taken up",
        )
    return section


def _run(hops: list[Hop]) -> float:
    return sum(hop.done - hop.started for hop in hops)
