"""From what scripts say to the values of process hosts, which services on a host are seen as, too."""

import json
from collections.abc import Mapping
from typing import Any, Final

from agents.process_host.health import SETTLED, Finding
from agents.process_host.observation import seen_run
from agents.process_host.processes import Identity
from agents.process_host.records import Check, Run, RunSpec, SeenComponent, Slot, State, run_spec
from agents.winrm_host.shell import Json
from fairlead.domain.health import Health

_MILLISECOND: Final = 0.001
_GONE: Final = "Missing"
"""What our scripts say of a run whose service somebody has deleted."""
_GOOD: Final = range(200, 400)


def state_of(slots: Mapping[str, Json]) -> State:
    """What runs, or should, and what to go back to."""
    return State(slots={name: _slot(said) for name, said in slots.items()})


def finding(run: Run, watched: Json) -> Finding:
    """How a run is, by the service manager's word and what it answers."""
    now = watched["slots"].get(run.spec.component) or {}
    said = now.get("run")
    if not said or int(said["number"]) != run.number:
        return Finding(Health.UNHEALTHY, "another one has taken its place")
    if said["state"] == _GONE:
        return Finding(Health.MISSING, "its service is gone")
    if not said["pid"]:
        return Finding(Health.UNHEALTHY, f"its service is {said['state']}, exit code {said['exit']}")
    if run.spec.health is None:
        return _aged((watched["now"] - (said["started"] or watched["now"])) * _MILLISECOND)
    return _answered(Check(**run.spec.health), run.spec.probe_port, watched)


def seen(name: str, slot: Slot, found: Finding | None, said: Json) -> SeenComponent:
    """What is reported of a component. `said`: by the host."""
    if slot.run is None or found is None:
        if said["run"] and said["run"]["pid"]:
            detail = "its service runs, but nobody can say what: there is no record of it that can be read"
            return SeenComponent(name=name, health=Health.UNVERIFIABLE, detail=detail)
        return SeenComponent(name=name, health=Health.MISSING, detail="stopped")
    return seen_run(name, slot.run, found)


def _slot(said: Json) -> Slot:
    specs = {number: spec for number, text in said["specs"].items() if (spec := _recorded(text))}
    run, kept = said["run"], said["kept"]
    there = run is not None and run["number"] in specs
    return Slot(_run(run, specs[run["number"]]) if there else None, specs.get(kept) if kept else None)


def _recorded(text: str | None) -> RunSpec | None:
    """What we wrote down; None where a hand has been at it."""
    try:
        return run_spec(json.loads(text)) if text else None
    except (ValueError, KeyError, TypeError):
        return None


def _run(said: Mapping[str, Any], spec: RunSpec) -> Run:
    created, started = said["created"] * _MILLISECOND, said["started"]
    return Run(
        number=int(said["number"]),
        spec=spec,
        holder=said["holder"],
        created=created,
        since=started * _MILLISECOND if started else created,
        exits=max(said["exits"], 0 if said["pid"] else 1),
        last_exit=None if said["exit"] in (None, 0) else f"exit code {said['exit']}",
        process=Identity(said["pid"], started or 0, "") if said["pid"] else None,
    )


def _aged(seconds: float) -> Finding:
    health = Health.HEALTHY if seconds >= SETTLED else Health.STARTING
    return Finding(health, f"running for {seconds:.0f} s, no health check")


def _answered(check: Check, port: int, watched: Json) -> Finding:
    answer = watched["answer"]
    what = f"GET {check.http} on port {port}" if check.http else f"connect to port {port}"
    said = f"answered {answer['status']}" if "status" in answer else answer.get("failed") or "connected"
    if answer.get("status") in _GOOD or answer.get("connected"):
        if watched["served"]:
            return Finding(Health.HEALTHY, f"{what}: {said}")
        return Finding(Health.UNHEALTHY, f"{what}: {said}, but by another process")
    return Finding(Health.UNHEALTHY, f"{what}: {said}")
