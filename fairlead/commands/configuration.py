"""Configuration layers that no catalogue has: the installation's own, a release's, a request's; and where each value of a rendering is from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from fairlead.commands.layers import read_config
from fairlead.commands.promotions import require_environment
from fairlead.contracts.base import Frozen
from fairlead.contracts.names import CONFIG_SUBJECT, project_subject
from fairlead.contracts.records import PromotionRecord, ReleaseRecord
from fairlead.domain.catalogue import Catalogue, Component, Environment, Layer, Target
from fairlead.domain.catalogue_document import layer_document
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound
from fairlead.domain.merging import origins
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.render import Source, Sourced, catalogue_layers, resolve, trace
from fairlead.store import history, projects, promotions
from fairlead.store.database import Database

CONFIG = "config"


class GlobalConfig(Frozen):
    """The layer below all projects. `revision` 0: nobody has set one yet."""

    config: dict[str, Any] = {}
    revision: int = 0
    actor: str | None = None
    time: datetime | None = None


class ExplainedValue(Frozen):
    """One value of a component as it is rendered. `pointer` is an RFC 6901 JSON pointer into the component's block."""

    pointer: str
    value: Any
    layer: str
    name: str
    revision: str
    actor: str


class ExplainedComponent(Frozen):
    """A component on one target, value by value."""

    target: str
    component: str
    values: tuple[ExplainedValue, ...]


def global_config(s: Session) -> GlobalConfig:
    """The installation's layer as it is now."""
    event = history.last(s, CONFIG_SUBJECT)
    if event is None:
        return GlobalConfig()
    return GlobalConfig(config=event.data[CONFIG], revision=event.sequence + 1, actor=event.actor, time=event.time)


def set_global_config(db: Database, document: Mapping[str, Any], *, actor: str, now: datetime) -> GlobalConfig:
    """Make the installation's layer what the document says; idempotent, and every earlier one stays in history. Raises BadInput."""
    normal = layer_document(read_config(document))
    with db.session() as s:
        known = global_config(s)
        if known.revision and known.config == normal:
            return known
        data = {CONFIG: normal}
        history.append_next(s, subject=CONFIG_SUBJECT, type="config_set", time=now, actor=actor, data=data)
        return global_config(s)


class Layering:
    """The layers of one plan, read once for all its targets."""

    def __init__(
        self,
        s: Session,
        catalogue: Catalogue,
        release: ReleaseRecord | None,
        promotion: PromotionRecord | None = None,
    ) -> None:
        ours, applied = global_config(s), history.last(s, project_subject(catalogue.project), "catalogue_applied")
        record = projects.get(s, catalogue.project)
        self._catalogue = catalogue
        self._revision = str(record.revision) if record else ""
        self._actor = (applied.actor or "") if applied else ""
        self._below = (Source("global", "", str(ours.revision), ours.actor or ""), read_config(ours.config))
        self._above = list(_above(s, release, promotion))
        self.frozen = Source("component", catalogue.project, self._revision, self._actor)
        if release:
            self.frozen = Source("component", release.version, release.digest, release.created_by)

    def of(self, environment: Environment, target: Target) -> list[Sourced]:
        """The layers of one target, the lowest first."""
        own = catalogue_layers(self._catalogue, environment, target, self._revision, self._actor)
        return [self._below, *own, *self._above]


def explain(layering: Layering, environment: Environment, target: Target, component: Component) -> ExplainedComponent:
    """Every value of a component on a target with the layer that it came with. Raises BadInput where the layers contradict the rules."""
    sourced = layering.of(environment, target)
    resolved(component, [layer for _, layer in sourced])
    found = origins(trace(component, sourced, layering.frozen))
    values = tuple(
        ExplainedValue(
            pointer=at,
            value=traced.value,
            layer=traced.source.layer,
            name=traced.source.name,
            revision=traced.source.revision,
            actor=traced.source.actor,
        )
        for at, traced in found
    )
    return ExplainedComponent(target=target.name, component=component.name, values=values)


def resolved(component: Component, layers: Sequence[Layer]) -> Component:
    """The component as the layers leave it. Raises BadInput (bad_value)."""
    try:
        return resolve(component, layers)
    except ValueError as error:
        raise BadInput(Code.BAD_VALUE, f"the layers above leave of {component.name}: {error}") from error


def explained_targets(catalogue: Catalogue, environment: str, target: str | None) -> tuple[Environment, list[Target]]:
    """An environment with its targets, or one of them. Raises NotFound (environment_not_found, target_not_found)."""
    place = require_environment(catalogue, environment)
    if target is not None and target not in place.targets:
        raise NotFound(
            Code.TARGET_NOT_FOUND, f"{environment} has no target {target!r:.60}{did_you_mean(target, place.targets)}"
        )
    return place, [catalogue.targets[name] for name in ([target] if target else place.targets)]


def _above(s: Session, release: ReleaseRecord | None, promotion: PromotionRecord | None) -> Iterator[Sourced]:
    """What goes over the catalogue's layers."""
    if release:
        yield (
            Source("release", release.version, release.digest, release.created_by),
            read_config(release.manifest.config),
        )
    if promotion:
        source = Source("request", promotion.id, "", promotion.requester)
        yield source, read_config(promotions.config(s, promotion.id))
