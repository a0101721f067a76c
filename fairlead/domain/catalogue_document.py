"""The normalised document of a catalogue: defaults written out, durations in their shortest form, nothing empty.

Reading it back gives the same catalogue, and two ways to write the same catalogue give the same document.
"""

from typing import Any

from fairlead.domain.blocks import SELECT
from fairlead.domain.catalogue import (
    ApprovalRule,
    Catalogue,
    Component,
    DriftRule,
    Environment,
    HealthCheck,
    Layer,
    Person,
    SecurityRule,
    Strategy,
    Target,
)
from fairlead.domain.durations import format_duration
from fairlead.domain.target_kinds import KINDS

Document = dict[str, Any]


def document(catalogue: Catalogue) -> Document:
    """The whole catalogue."""
    normal = {
        "project": catalogue.project,
        "people": {name: _person(person) for name, person in catalogue.people.items()},
        "components": {name: _component(component) for name, component in catalogue.components.items()},
        "environments": {name: _environment(environment) for name, environment in catalogue.environments.items()},
        "targets": {name: _target(target) for name, target in catalogue.targets.items()},
    }
    labelled = [{"labels": dict(ll.labels), "config": layer_document(ll.config)} for ll in catalogue.label_config]
    return normal | _filled(files=dict(catalogue.files), config=layer_document(catalogue.config), label_config=labelled)


def template(component: Component) -> Document:
    """What is frozen into a release: the component's block without its repository, and the digests of the files it names."""
    block = _component(component) | _filled(files=dict(component.files))
    del block["repository"]
    return block


def _person(person: Person) -> Document:
    return {"groups": sorted(set(person.groups)), "keys": [key.strip() + "\n" for key in person.keys]}


def _component(component: Component) -> Document:
    return _filled(
        repository=component.repository,
        command=list(component.command),
        ports=list(component.ports),
        env=dict(component.env),
        secrets=dict(component.secrets),
        depends_on=list(component.depends_on),
        health=_health(component.health) if component.health else None,
        stop_grace=format_duration(component.stop_grace),
        **{key: dict(section) for key, section in component.sections.items()},
    )


def _health(health: HealthCheck) -> Document:
    return _filled(
        port=health.port,
        http=health.http,
        interval=format_duration(health.interval),
        timeout=format_duration(health.timeout),
        retries=health.retries,
    )


def _environment(environment: Environment) -> Document:
    return _filled(
        targets={SELECT: dict(environment.select)} if environment.select else list(environment.targets),
        after=list(environment.after),
        soak=format_duration(environment.soak),
        production=environment.production,
        gates={"security": _security(environment.security)} if environment.security else None,
        approval=_approval(environment.approval) if environment.approval else None,
        strategy=_strategy(environment.strategy),
        on_failure=environment.on_failure,
        promotion_expires=format_duration(environment.promotion_expires),
        drift=_drift(environment.drift),
        config=layer_document(environment.config),
    )


def _security(rule: SecurityRule) -> Document:
    return {"block": rule.block, "reachable": rule.reachable}


def _approval(rule: ApprovalRule) -> Document:
    return _filled(
        count=rule.count,
        requester=rule.requester,
        groups=dict(rule.groups),
        expires=format_duration(rule.expires),
    )


def _strategy(strategy: Strategy) -> Document:
    return {
        "type": strategy.type.value,
        "batch": strategy.batch,
        "min_healthy_time": format_duration(strategy.min_healthy_time),
        "healthy_deadline": format_duration(strategy.healthy_deadline),
    }


def _drift(rule: DriftRule) -> Document:
    return {
        "policy": rule.policy.value,
        "every": format_duration(rule.every),
        "per_hour": rule.per_hour,
        "give_up_after": rule.give_up_after,
    }


def _target(target: Target) -> Document:
    return _filled(
        type=target.type.value,
        endpoint=target.endpoint,
        labels=dict(target.labels),
        config=layer_document(target.config),
        **{KINDS[target.type].key: dict(target.options)},
    )


def layer_document(layer: Layer) -> Document:
    """One layer."""
    return _filled(
        env=dict(layer.env),
        secrets=dict(layer.secrets),
        ports={name: list(ports) for name, ports in layer.ports.items()},
        components={name: dict(patch) for name, patch in layer.components.items()},
    )


def _filled(**fields: Any) -> Document:
    return {name: value for name, value in fields.items() if value not in (None, [], {})}
