"""Rules between the parts of a catalogue: names that must point somewhere, graphs without cycles, quorums that can be reached."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from fairlead.domain.blocks import SELECT, pointer
from fairlead.domain.catalogue import ApprovalRule, Catalogue, Component, Environment, Layer, Target
from fairlead.domain.catalogue_document import template
from fairlead.domain.codes import Code
from fairlead.domain.component_rules import read_template
from fairlead.domain.errors import Flaw
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.render import catalogue_layers, resolve
from fairlead.domain.target_kinds import objections
from fairlead.domain.target_kinds.docker_section import misplaced

MAX_TARGETS = 200


def check_links(catalogue: Catalogue) -> Iterator[Flaw]:
    """Every flaw that shows only when the parts are seen together."""
    after = {name: environment.after for name, environment in catalogue.environments.items()}
    depends_on = {name: component.depends_on for name, component in catalogue.components.items()}
    yield from _graph("environments", "after", after)
    yield from _graph("components", "depends_on", depends_on)
    yield from _targets(catalogue)
    yield from _layer(catalogue.config, catalogue.components, "")
    for index, labelled in enumerate(catalogue.label_config):
        yield from _layer(labelled.config, catalogue.components, pointer("", "label_config", index))
    for name, environment in catalogue.environments.items():
        at = pointer("", "environments", name)
        yield from _layer(environment.config, catalogue.components, at)
        yield from _approval(environment.approval, catalogue, at + "/approval")
    for name, target in catalogue.targets.items():
        yield from _layer(target.config, catalogue.components, pointer("", "targets", name))


def find_cycle(edges: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """One cycle of a graph, its first name repeated at the end; empty when there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()


def _graph(kind: str, field: str, edges: Mapping[str, Sequence[str]]) -> Iterator[Flaw]:
    for name, followers in edges.items():
        yield from _names(followers, edges, pointer("", kind, name, field))
    if cycle := find_cycle(edges):
        where = pointer("", kind, cycle[0], field)
        yield Flaw(Code.CYCLE, f"{field} goes round in a circle: {' -> '.join(cycle)}", where)


def _names(used: Sequence[str], valid: Collection[str], at: str) -> Iterator[Flaw]:
    for index, name in enumerate(used):
        if name not in valid:
            yield Flaw(Code.UNKNOWN_NAME, f"there is no {name!r:.60}{did_you_mean(name, valid)}", pointer(at, index))
        elif name in used[:index]:
            yield Flaw(Code.BAD_VALUE, f"{name} stands here twice", pointer(at, index))


def _targets(catalogue: Catalogue) -> Iterator[Flaw]:
    owners: dict[str, str] = {}
    for name, environment in catalogue.environments.items():
        at = pointer("", "environments", name, "targets")
        yield from _names(environment.targets, catalogue.targets, at)
        if len(environment.targets) > MAX_TARGETS:
            yield Flaw(Code.NOT_SUPPORTED_YET, f"an environment may have {MAX_TARGETS} targets for now", at)
        for index, target in enumerate(environment.targets):
            if owners.setdefault(target, name) != name:
                step = SELECT if environment.select else index
                yield Flaw(Code.BAD_VALUE, f"{target} belongs to {owners[target]} already", pointer(at, step))
            elif target in catalogue.targets:
                yield from _components(catalogue, environment, catalogue.targets[target])


def _components(catalogue: Catalogue, environment: Environment, target: Target) -> Iterator[Flaw]:
    taken: dict[str, str] = {}
    sections: dict[str, Mapping[str, Mapping[str, Any]]] = {}
    at = pointer("", "targets", target.name)
    layers = [layer for _, layer in catalogue_layers(catalogue, environment, target)]
    for name, component in catalogue.components.items():
        try:
            resolved = resolve(component, layers)
        except ValueError as error:
            if _is_sound(component):
                yield Flaw(Code.BAD_VALUE, f"the layers above leave of {name} on {target.name}: {error}", at)
            continue
        sections[name] = resolved.sections
        for code, words in objections(target.type, resolved.sections, target.options):
            yield Flaw(code, f"{name} on {target.name}: {words}", at)
        for host in [port.partition(":")[0] for port in resolved.ports]:
            if (other := taken.setdefault(host, name)) != name:
                detail = f"{other} and {name} both want host port {host} of {target.name}; set config.ports"
                yield Flaw(Code.BAD_VALUE, detail, at)
    for name, words in misplaced(sections):
        yield Flaw(Code.BAD_VALUE, f"{name} on {target.name}: {words}", at)


def _is_sound(component: Component) -> bool:
    """Whether nothing is wrong with it by itself, which is told where it stands."""
    try:
        read_template(component.name, component.repository, template(component) | {"files": dict(component.files)})
    except ValueError:
        return False
    return True


def _layer(layer: Layer, components: Collection[str], at: str) -> Iterator[Flaw]:
    for key, named in (("ports", layer.ports), ("components", layer.components)):
        for name in named:
            if name not in components:
                where = pointer(at, "config", key, name)
                yield Flaw(Code.UNKNOWN_NAME, f"there is no {name!r:.60}{did_you_mean(name, components)}", where)


def _approval(rule: ApprovalRule | None, catalogue: Catalogue, at: str) -> Iterator[Flaw]:
    if rule is None:
        return
    if rule.count > len(catalogue.people):
        detail = f"{rule.count} votes can never come from {len(catalogue.people)} people"
        yield Flaw(Code.BAD_VALUE, detail, at + "/count")
    groups = [group for person in catalogue.people.values() for group in set(person.groups)]
    for name, needed in rule.groups.items():
        where = pointer(at, "groups", name)
        if name not in groups:
            yield Flaw(Code.UNKNOWN_NAME, f"nobody is in {name!r:.60}{did_you_mean(name, set(groups))}", where)
        elif groups.count(name) < needed:
            yield Flaw(Code.BAD_VALUE, f"{name} has {groups.count(name)} people, {needed} are asked for", where)
