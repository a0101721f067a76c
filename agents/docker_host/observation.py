"""What runs of a component, from its container: digest, configuration, health, since when."""

from collections.abc import Callable, Iterable
from itertools import groupby

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
    """For each place the container that has its name, else one that was put aside."""
    found: dict[tuple[str, int], Box] = {}
    for box in sorted(boxes, key=lambda box: box.parked):
        found.setdefault(box.slot, box)
    return [found[slot] for slot in sorted(found)]


def observe_all(engine: Engine, boxes: Iterable[Box]) -> tuple[ComponentObservation, ...]:
    """What each component is, of however many containers."""
    grouped = groupby(named_first(boxes), key=lambda box: box.component)
    return tuple(_observe_group(engine, list(group)) for _, group in grouped)


def _observe_group(engine: Engine, boxes: list[Box]) -> ComponentObservation:
    """Several are as good as the worst of them; of what they do not agree about nothing is said."""
    first, *others = each = [observe(engine, box) for box in boxes]
    wanted = max(box.replicas for box in boxes)
    if not others and wanted == 1:
        return first
    lacking = [f"{len(boxes)} of {wanted} are there"] if len(boxes) < wanted else []
    unwell = [one for one in each if one.health != Health.HEALTHY]
    agreed = {key: _agreed(getattr(one, key) for one in each) for key in ("digest", "config", "release", "fence")}
    return ComponentObservation(
        name=first.name,
        health=worst([*(one.health for one in each), *([Health.UNHEALTHY] if lacking else [])]),
        **agreed,
        instance=",".join(one.instance or "" for one in each),
        created=max((one.created for one in each if one.created), default=None),
        since=max((one.since for one in each if one.since), default=None),
        restarts=sum(one.restarts for one in each),
        detail="; ".join([*lacking, *(one.detail or "" for one in unwell or each[:1])]),
    )


def _agreed(values: Iterable[str | None]) -> str | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


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
