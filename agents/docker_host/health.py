"""How well a container is: by the catalogue's check, else by its image's HEALTHCHECK, else by having run for a second."""

from collections.abc import Callable

from agents.docker_host import labels
from agents.docker_host.box import Box
from agents.probe import Probe, host_port, probe
from fairlead.contracts.release import RenderedHealth
from fairlead.domain.health import Health

_LONG_ENOUGH = 1.0
_BY_ENGINE = {"healthy": Health.HEALTHY, "starting": Health.STARTING, "unhealthy": Health.UNHEALTHY}

Ask = Callable[[RenderedHealth, str, int], Probe]


def look(box: Box, check: RenderedHealth | None, ask: Ask = probe) -> tuple[Health, str]:
    """Its health now, and in words what that rests on."""
    if box.runs_once:
        return _once(box)
    if box.status == "created":
        return Health.MISSING, "created, but not started"
    if box.status != "running":
        return Health.UNHEALTHY, f"{box.status}, exit code {box.exit_code}, {box.restarts} restarts"
    if box.cut_off:
        return Health.UNHEALTHY, "running, but what it is beside was started again since, so it has no network any more"
    if check:
        answer = ask(check, *_place(box, check))
        return (Health.HEALTHY if answer.ok else Health.UNHEALTHY), answer.detail
    if box.own_health:
        return _BY_ENGINE.get(box.own_health, Health.UNVERIFIABLE), f"the image's own check says {box.own_health}"
    ran = box.clock() - box.started.timestamp() if box.started else 0.0
    return (
        Health.HEALTHY if ran >= _LONG_ENOUGH else Health.STARTING
    ), f"running for {max(ran, 0):.0f} s, has no check"


def _once(box: Box) -> tuple[Health, str]:
    """Of something that is to end, having ended well is all there is."""
    if why := box.labels.get(labels.UNRUN):
        return Health.HEALTHY, f"not run: {why}"
    if box.status == "exited":
        return (Health.UNHEALTHY if box.exit_code else Health.HEALTHY), f"ended, exit code {box.exit_code}"
    return (Health.STARTING if box.running else Health.MISSING), f"{box.status}, has not ended yet"


def _place(box: Box, check: RenderedHealth) -> tuple[str, int]:
    """Where to ask. A bare connect goes to the container itself: the engine's proxy accepts connections for a container that does not listen."""
    published = box.sockets.get(check.port)
    if published and (check.http or not box.address):
        return published
    if box.address:
        return box.address, check.port
    return "127.0.0.1", host_port(tuple(f"{host}:{inside}" for host, inside in box.ports.items()), check.port)
