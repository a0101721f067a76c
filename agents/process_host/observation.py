"""From what the supervisor says to what is reported; and what can be said without one."""

from __future__ import annotations

from agents.process_host.health import Finding, look
from agents.process_host.processes import is_alive
from agents.process_host.records import Run, SeenComponent, Slot, State
from fairlead.domain.health import Health


def observe_slots(state: State) -> tuple[SeenComponent, ...]:
    """Every component that runs, or should."""
    return tuple(_observe(name, slot) for name, slot in state.slots.items())


def without_supervisor(state: State) -> tuple[SeenComponent, ...]:
    """Nobody keeps these alive: at best they still run, which is no proof of what they are."""
    return tuple(_orphan(name, slot.run) for name, slot in state.slots.items())


def _observe(name: str, slot: Slot) -> SeenComponent:
    run = slot.run
    if run is None:
        return SeenComponent(name=name, health=Health.MISSING, detail="stopped")
    return seen_run(name, run, look(run, _no_beat))


def seen_run(name: str, run: Run, finding: Finding) -> SeenComponent:
    """A component that should run."""
    labels = run.spec.labels
    return SeenComponent(
        name=name,
        health=finding.health,
        digest=labels["digest"],
        config=labels["config"],
        release=labels["release"],
        fence=labels["fence"],
        instance=str(run.process) if run.process else None,
        created=run.created,
        since=run.since,
        restarts=run.exits,
        detail=finding.detail,
    )


def _orphan(name: str, run: Run | None) -> SeenComponent:
    if run is None or not is_alive(run.process):
        return SeenComponent(name=name, health=Health.MISSING, detail="neither it nor its supervisor runs")
    return SeenComponent(
        name=name, health=Health.UNVERIFIABLE, instance=str(run.process), detail="its supervisor is gone"
    )


def _no_beat() -> None:
    """Observing is short."""
