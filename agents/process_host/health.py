"""How one run is, by the supervisor's word, /proc and a probe now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agents.probe import Probe, probe, probe_until_sure
from agents.process_host.ports import is_served_by
from agents.process_host.processes import is_alive
from agents.process_host.records import Check, Run
from fairlead.domain.health import Health

if TYPE_CHECKING:
    from fairlead.ports import Beat

LOOPBACK: Final = "127.0.0.1"
SETTLED: Final = 1.0
"""A process without a probe is taken for healthy when it has lived so long."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Health, and why."""

    health: Health
    detail: str


def look(run: Run, beat: Beat) -> Finding:
    """Look closely: one bad answer is asked about again, as the health check says."""
    return _judge(run, lambda health: probe_until_sure(health, LOOPBACK, run.spec.probe_port, beat))


def glance(run: Run) -> Finding:
    """Look once."""
    return _judge(run, lambda health: probe(health, LOOPBACK, run.spec.probe_port))


def _judge(run: Run, ask: Callable[[Check], Probe]) -> Finding:
    if not is_alive(run.process):
        return Finding(Health.UNHEALTHY, f"not running, ended {run.exits} times: {run.last_exit or 'unknown'}")
    age = time.time() - run.since
    if run.spec.health is None:
        return Finding(
            Health.HEALTHY if age >= SETTLED else Health.STARTING, f"running for {age:.0f} s, no health check"
        )
    answer = ask(Check(**run.spec.health))
    return _answered(run, answer) if answer.ok else Finding(Health.UNHEALTHY, answer.detail)


def _answered(run: Run, answer: Probe) -> Finding:
    """A good answer counts only if it is ours: somebody else may have the port while our process is about to fail."""
    if run.process and is_served_by(run.spec.probe_port, run.process.pid) and is_alive(run.process):
        return Finding(Health.HEALTHY, answer.detail)
    return Finding(Health.UNHEALTHY, f"{answer.detail}, but by another process")
