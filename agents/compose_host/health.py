"""How well a container of a stack is: as on any Docker host, and by the file's own healthcheck too; what ends by itself is well when it has."""

from agents.docker_host import health as of_docker
from agents.docker_host.box import Box
from agents.docker_host.health import Ask
from agents.probe import probe
from fairlead.contracts.release import RenderedHealth
from fairlead.domain.compose.stack import ONE_SHOT
from fairlead.domain.health import Health

ENDED = frozenset({"exited", "dead"})


def look(box: Box, check: RenderedHealth | None, ask: Ask = probe) -> tuple[Health, str]:
    """Its health now, and in words what that rests on."""
    if ONE_SHOT in box.labels:
        return _of_one_shot(box)
    health, words = of_docker.look(box, check, ask)
    if check and box.own_health and health == Health.HEALTHY:
        return of_docker.look(box, None)
    return health, words


def _of_one_shot(box: Box) -> tuple[Health, str]:
    if box.status == "created":
        return Health.MISSING, "created, but not started"
    if box.status not in ENDED:
        return Health.STARTING, f"{box.status}, and has not ended yet"
    return (Health.UNHEALTHY if box.exit_code else Health.HEALTHY), f"ended with exit code {box.exit_code}"
