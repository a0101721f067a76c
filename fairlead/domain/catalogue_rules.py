"""From a plain document to a Catalogue, or to everything that is wrong with it. Rules between the parts: catalogue_links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.domain.blocks import Block
from fairlead.domain.catalogue import (
    ApprovalRule,
    Catalogue,
    Component,
    Environment,
    HealthCheck,
    Layer,
    Person,
    SecurityRule,
    Strategy,
    StrategyType,
    Target,
    TargetType,
)
from fairlead.domain.catalogue_links import check_links
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.files import FIELD, digest_of_file, read_files
from fairlead.domain.findings import Severity
from fairlead.domain.secret_references import parse
from fairlead.domain.target_kinds import KINDS, SECTIONS

HOUR, DAY, MONTH = 3600.0, 86_400.0, 31 * 86_400.0

REGISTRY = re.compile(
    r"(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9-]+(?=:)|\[[0-9a-f:]+\])(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
)
LAYOUT = re.compile(r"oci-layout:[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_PORTS = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HTTP_PATH = re.compile(r"/[\x21-\x7e]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ALL_TARGETS = ("docker_host", "process_host", "compose_host", "ecs_service", "nomad_job", "ssh_host", "winrm_host")
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
    catalogue = Catalogue(
        project=_project(root),
        people={name: _person(block) for name, block in root.blocks("people")},
        components={name: _component(name, block, digests) for name, block in root.blocks("components")},
        environments={name: _environment(name, block) for name, block in root.blocks("environments")},
        targets={name: _target(name, block) for name, block in root.blocks("targets")},
        files=files,
    )
    root.close()
    return catalogue


def read_template(name: str, repository: str, template: Mapping[str, object]) -> Component:
    """A component as it was frozen into a release. Raises ValueError for what is no template."""
    flaws: list[Flaw] = []
    block = Block({**template, "repository": repository}, "", flaws)
    component = _component(name, block, block.strings("files"))
    if flaws:
        raise ValueError(f"{flaws[0].pointer}: {flaws[0].detail}")
    return component


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


def _component(name: str, block: Block, digests: Mapping[str, str]) -> Component:
    said = {key: reader(block.block(key)) for key, reader in SECTIONS.items() if block.has(key)}
    sections = {key: section for key, section in said.items() if section}
    env = _env(block)
    component = Component(
        name=name,
        repository=_repository(block),
        command=block.words("command"),
        ports=_ports(block, "ports"),
        env=env,
        secrets=_secrets(block, env),
        depends_on=block.words("depends_on"),
        health=_health(block.block("health")) if block.has("health") else None,
        stop_grace=block.duration("stop_grace", 10.0, 0.0, HOUR),
        sections=sections,
        files=_named_files(block, sections, digests),
    )
    block.close()
    return component


def _named_files(block: Block, sections: Mapping[str, Mapping[str, Any]], digests: Mapping[str, str]) -> dict[str, str]:
    named = {key: section[FIELD] for key, section in sections.items() if FIELD in section}
    for key, path in named.items():
        if not _DIGEST.fullmatch(digests.get(path, "")):
            block.flaw(Code.FILE_MISSING, f"the catalogue came without the file {path!r:.80}", key, FIELD)
    return {path: digests[path] for path in sorted(named.values()) if path in digests}


def _repository(block: Block) -> str:
    text = block.text("repository", required=True)
    if text and not REGISTRY.fullmatch(text) and not LAYOUT.fullmatch(text):
        rule = "HOST/PATH with the registry's host and without tag, or oci-layout:PATH without '..'"
        block.flaw(Code.BAD_VALUE, f"{text!r:.80} is not a repository: {rule}", "repository")
    return text


def _ports(block: Block, key: str) -> tuple[str, ...]:
    ports = block.words(key)
    seen: set[str] = set()
    for index, text in enumerate(ports):
        match = _PORTS.fullmatch(text)
        if not match or not all(1 <= int(port) <= 65535 for port in match.groups()):
            block.flaw(Code.BAD_VALUE, f"{text!r:.60} is not HOST:CONTAINER with ports from 1 to 65535", key, index)
        elif match[1] in seen:
            block.flaw(Code.BAD_VALUE, f"host port {match[1]} is taken twice", key, index)
        else:
            seen.add(match[1])
    return ports


def _env(block: Block) -> dict[str, str]:
    env = block.strings("env")
    for name in env:
        if not _VARIABLE.fullmatch(name):
            block.flaw(Code.BAD_NAME, f"{name!r:.60} is not the name of an environment variable", "env", name)
    return env


def _secrets(block: Block, env: Mapping[str, str]) -> dict[str, str]:
    secrets = block.strings("secrets")
    for name, reference in secrets.items():
        if not _VARIABLE.fullmatch(name):
            detail = f"{name!r:.60} is not the name of an environment variable"
            block.flaw(Code.BAD_NAME, detail, "secrets", name)
        if name in env:
            block.flaw(Code.DUPLICATE_KEY, f"{name} stands in env too", "secrets", name)
        try:
            parse(reference)
        except ValueError as error:  # what stands there may be a value by mistake, so it is not repeated
            block.flaw(Code.BAD_VALUE, f"this is {error}", "secrets", name)
    return secrets


def _health(block: Block) -> HealthCheck:
    http = block.text("http") if block.has("http") else None
    if http is not None and not _HTTP_PATH.fullmatch(http):
        block.flaw(Code.BAD_VALUE, f"{http!r:.60} is not a path such as /healthz", "http")
    check = HealthCheck(
        port=block.count("port", None, 1, 65535),
        http=http,
        interval=block.duration("interval", 1.0, 0.05, HOUR),
        timeout=block.duration("timeout", 2.0, 0.05, HOUR),
        retries=block.count("retries", 3, 1, 100),
    )
    block.take("http")
    block.close()
    return check


def _environment(name: str, block: Block) -> Environment:
    gates = block.block("gates")
    environment = Environment(
        name=name,
        targets=block.words("targets"),
        after=block.words("after"),
        soak=block.duration("soak", 0.0, 0.0, MONTH),
        production=block.flag("production", False),
        security=_security(gates.block("security")) if gates.has("security") else None,
        approval=_approval(block.block("approval")) if block.has("approval") else None,
        strategy=_strategy(block.block("strategy")),
        on_failure=block.choice("on_failure", "rollback", ("rollback",), _LATER_FAILURES),
        promotion_expires=block.duration("promotion_expires", DAY, 1.0, MONTH),
        config=_layer(block.block("config")),
    )
    if not environment.targets:
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


def _layer(block: Block) -> Layer:
    ports = block.block("ports")
    layer = Layer(env=_env(block), ports={name: _ports(ports, name) for name in ports.names()})
    block.close()
    return layer


def _target(name: str, block: Block) -> Target:
    known = [t.value for t in TargetType]
    kind = TargetType(block.choice("type", None, known, _ALL_TARGETS) or known[0])
    endpoint = block.text("endpoint", required=True)
    about = KINDS[kind]
    if endpoint and block.has("type") and (not about.endpoint.fullmatch(endpoint) or ".." in endpoint.split("/")):
        detail = f"{endpoint!r:.80} is not an endpoint of a {kind}, such as {about.example}"
        block.flaw(Code.BAD_VALUE, detail, "endpoint")
    target = Target(
        name,
        kind,
        endpoint,
        labels=block.strings("labels"),
        config=_layer(block.block("config")),
        options=about.options(block.block(about.key)),
    )
    block.close()
    return target
