"""What may be said of a component: in the catalogue, and as it was frozen into a release."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from fairlead.domain.blocks import Block
from fairlead.domain.catalogue import Component, HealthCheck
from fairlead.domain.codes import Code
from fairlead.domain.errors import Flaw
from fairlead.domain.files import FIELD
from fairlead.domain.secret_references import parse
from fairlead.domain.target_kinds import SECTIONS, docker_section

HOUR = 3600.0

REGISTRY = re.compile(
    r"(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9-]+(?=:)|\[[0-9a-f:]+\])(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
)
LAYOUT = re.compile(r"oci-layout:[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_PORTS = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HTTP_PATH = re.compile(r"/[\x21-\x7e]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def read_template(name: str, repository: str, template: Mapping[str, object]) -> Component:
    """A component as it was frozen into a release. Raises ValueError for what is no template."""
    flaws: list[Flaw] = []
    block = Block({**template, "repository": repository}, "", flaws)
    component = read_component(name, block, block.strings("files"))
    if flaws:
        raise ValueError(f"{flaws[0].pointer}: {flaws[0].detail}")
    return component


def read_component(name: str, block: Block, digests: Mapping[str, str]) -> Component:
    """One component. `digests`: of the files that it may name, by path."""
    said = {key: reader(block.block(key)) for key, reader in SECTIONS.items() if block.has(key)}
    sections = {key: section for key, section in said.items() if section}
    env = read_env(block)
    component = Component(
        name=name,
        repository=_repository(block),
        command=block.words("command"),
        ports=read_ports(block, "ports"),
        env=env,
        secrets=_secrets(block, env),
        depends_on=block.words("depends_on"),
        health=_health(block.block("health")) if block.has("health") else None,
        stop_grace=block.duration("stop_grace", 10.0, 0.0, HOUR),
        sections=sections,
        files=_named_files(block, sections, digests),
    )
    docker_section.check(block, sections.get(docker_section.SECTION, {}), component.ports, component.health is not None)
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


def read_ports(block: Block, key: str) -> tuple[str, ...]:
    """`HOST:CONTAINER`, each host port once."""
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


def read_env(block: Block) -> dict[str, str]:
    """Variables by name."""
    env = block.strings("env")
    check_variables(block, "env", env)
    return env


def check_variables(block: Block, key: str, names: Iterable[str]) -> None:
    """Report what cannot name an environment variable."""
    for name in names:
        if not VARIABLE.fullmatch(name):
            block.flaw(Code.BAD_NAME, f"{name!r:.60} is not the name of an environment variable", key, name)


def check_references(block: Block, secrets: Mapping[str, str]) -> None:
    """Report what names no secret. What stands there may be a value by mistake, so it is not repeated."""
    for name, reference in secrets.items():
        try:
            parse(reference)
        except ValueError as error:
            block.flaw(Code.BAD_VALUE, f"this is {error}", "secrets", name)


def _secrets(block: Block, env: Mapping[str, str]) -> dict[str, str]:
    secrets = block.strings("secrets")
    check_variables(block, "secrets", secrets)
    check_references(block, secrets)
    for name in secrets:
        if name in env:
            block.flaw(Code.DUPLICATE_KEY, f"{name} stands in env too", "secrets", name)
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
