"""From a plain document to a Catalogue, or to everything that is wrong with it. Rules between the parts: catalogue_links."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.domain.blocks import SELECT, Block
from fairlead.domain.catalogue import (
    ApprovalRule,
    Catalogue,
    DriftPolicy,
    DriftRule,
    Environment,
    Person,
    SecurityRule,
    Strategy,
    StrategyType,
    Target,
    TargetType,
)
from fairlead.domain.catalogue_links import check_links
from fairlead.domain.codes import Code
from fairlead.domain.component_rules import HOUR, read_component
from fairlead.domain.errors import Flaw
from fairlead.domain.files import digest_of_file, read_files
from fairlead.domain.findings import Severity
from fairlead.domain.layer_rules import read_label_layers, read_layer
from fairlead.domain.selecting import chosen, none_chosen
from fairlead.domain.target_kinds import KINDS

DAY, MONTH = 86_400.0, 31 * 86_400.0

_LATER_STRATEGIES = ("canary", "blue_green")
_LATER_FAILURES = ("pause", "stop")


@dataclass(frozen=True, slots=True)
class Reading:
    """A catalogue, and what is wrong with it; it may be used only when nothing is."""

    catalogue: Catalogue
    flaws: tuple[Flaw, ...]


def read(document: object) -> Reading:
    """Read a whole document and collect every flaw."""
    flaws: list[Flaw] = []
    catalogue = read_block(Block(document, "", flaws))
    flaws.extend(check_links(catalogue))
    return Reading(catalogue, tuple(flaws))


def read_block(root: Block) -> Catalogue:
    """Read a catalogue part by part; what is wrong within a part is noted by the block."""
    files = read_files(root)
    digests = {path: digest_of_file(content) for path, content in files.items()}
    targets = {name: _target(name, block) for name, block in root.blocks("targets")}
    catalogue = Catalogue(
        project=_project(root),
        people={name: _person(block) for name, block in root.blocks("people")},
        components={name: read_component(name, block, digests) for name, block in root.blocks("components")},
        environments={name: _environment(name, block, targets) for name, block in root.blocks("environments")},
        targets=targets,
        files=files,
        config=read_layer(root.block("config")),
        label_config=read_label_layers(root),
    )
    root.close()
    return catalogue


def _project(root: Block) -> str:
    return root.name("project")


def _person(block: Block) -> Person:
    person = Person(groups=block.words("groups"), keys=block.words("keys"))
    for index, group in enumerate(person.groups):
        block.check_name(group, "groups", index)
    for index, key in enumerate(person.keys):
        if not key.strip().startswith("-----BEGIN PUBLIC KEY-----"):
            block.flaw(Code.BAD_VALUE, "expected an Ed25519 public key in PEM", "keys", index)
    block.close()
    return person


def _environment(name: str, block: Block, targets: Mapping[str, Target]) -> Environment:
    gates = block.block("gates")
    named, labels = block.names_or_labels("targets")
    environment = Environment(
        name=name,
        targets=chosen(labels, targets) if labels else named,
        after=block.words("after"),
        soak=block.duration("soak", 0.0, 0.0, MONTH),
        production=block.flag("production", False),
        security=_security(gates.block("security")) if gates.has("security") else None,
        approval=_approval(block.block("approval")) if block.has("approval") else None,
        strategy=_strategy(block.block("strategy")),
        on_failure=block.choice("on_failure", "rollback", ("rollback",), _LATER_FAILURES),
        promotion_expires=block.duration("promotion_expires", DAY, 1.0, MONTH),
        drift=_drift(block.block("drift")),
        config=read_layer(block.block("config")),
        select=labels,
    )
    if labels and not environment.targets:
        block.flaw(Code.BAD_VALUE, none_chosen(labels, targets), "targets", SELECT)
    elif not environment.targets:
        block.flaw(Code.MISSING_FIELD, "an environment needs at least one target", "targets")
    for optional, key in ((gates, "security"), (block, "approval")):
        optional.take(key)
    gates.close()
    block.close()
    return environment


def _security(block: Block) -> SecurityRule:
    rule = SecurityRule(
        block=block.choice("block", "critical", [s.value for s in Severity if s is not Severity.UNKNOWN]),
        reachable=block.flag("reachable", True),
    )
    block.close()
    return rule


def _approval(block: Block) -> ApprovalRule:
    groups = block.block("groups")
    rule = ApprovalRule(
        count=block.count("count", None, 1, 50),
        requester=block.choice("requester", "cannot_vote", ("cannot_vote", "can_vote")),
        groups={name: groups.count(name, None, 1, 50) for name in groups.names()},
        expires=block.duration("expires", DAY, 1.0, MONTH),
    )
    block.close()
    return rule


def _strategy(block: Block) -> Strategy:
    kind = block.choice("type", "all_at_once", [t.value for t in StrategyType], _LATER_STRATEGIES)
    strategy = Strategy(
        type=StrategyType(kind),
        batch=block.count("batch", 1, 1, 1000),
        min_healthy_time=block.duration("min_healthy_time", 2.0, 0.0, HOUR),
        healthy_deadline=block.duration("healthy_deadline", 60.0, 0.1, DAY),
    )
    if strategy.min_healthy_time >= strategy.healthy_deadline:
        block.flaw(Code.BAD_VALUE, "min_healthy_time must be shorter than healthy_deadline", "min_healthy_time")
    block.close()
    return strategy


def _drift(block: Block) -> DriftRule:
    rule = DriftRule(
        policy=DriftPolicy(block.choice("policy", "notify", [policy.value for policy in DriftPolicy])),
        every=block.duration("every", 300.0, 1.0, DAY),
        per_hour=block.count("per_hour", 2, 1, 60),
        give_up_after=block.count("give_up_after", 3, 1, 50),
    )
    block.close()
    return rule


def _target(name: str, block: Block) -> Target:
    known = [t.value for t in TargetType]
    kind = TargetType(block.choice("type", None, known) or known[0])
    endpoint = block.text("endpoint", required=True)
    about = KINDS[kind]
    fits = about.endpoint.fullmatch(endpoint) and ".." not in endpoint.split("/")
    if endpoint and block.has("type") and not fits:
        detail = f"{endpoint!r:.80} is not an endpoint of a {kind}, such as {about.example}"
        block.flaw(Code.BAD_VALUE, detail, "endpoint")
    target = Target(
        name,
        kind,
        endpoint,
        labels=block.labels("labels"),
        config=read_layer(block.block("config")),
        options=about.options(block.block(about.key)),
    )
    if fits:
        about.check(block, endpoint, target.options)
    block.close()
    return target
