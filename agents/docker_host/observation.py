"""What runs of a component, from its container: digest, configuration, health, since when."""

from collections.abc import Callable, Iterable

from agents.docker_host import labels
from agents.docker_host.box import Box
from agents.docker_host.engine import Engine
from agents.docker_host.health import Ask, look
from agents.probe import probe_until_sure
from fairlead.contracts.release import RenderedHealth
from fairlead.contracts.target import ComponentObservation
from fairlead.domain.health import Health, worst

Look = Callable[[Box, RenderedHealth | None, Ask], tuple[Health, str]]


def named_first(boxes: Iterable[Box]) -> list[Box]:
    """For each component the container that has its name, else one that was put aside."""
    found: dict[str, Box] = {}
    for box in sorted(boxes, key=lambda box: box.parked):
        found.setdefault(box.component, box)
    return [found[name] for name in sorted(found)]


def observe(engine: Engine, box: Box, how: Look = look) -> ComponentObservation:
    """What a container is, by the engine's word and a probe now."""
    health, words = how(
        box,
        labels.health_in(box.labels),
        lambda check, host, port: probe_until_sure(check, host, port, lambda: None, engine.host.dial),
    )
    digests = engine.digests(box.image, box.repository)
    said = box.labels.get(labels.DIGEST)
    digest = said if said in digests else min(digests, default=None)
    if digest is None:
        health, words = (
            worst([health, Health.UNVERIFIABLE]),
            f"{words}; the engine does not know where the image came from",
        )
    return ComponentObservation(
        name=box.component,
        health=health,
        digest=digest,
        config=box.labels.get(labels.CONFIG),
        release=box.labels.get(labels.RELEASE),
        fence=box.labels.get(labels.FENCE),
        instance=box.id,
        created=box.created,
        since=box.started,
        restarts=box.restarts,
        detail=words,
    )
