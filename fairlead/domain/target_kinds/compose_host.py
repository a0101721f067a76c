"""Compose hosts in the catalogue: a component names the team's own compose file and the service that it is."""

import re
from typing import Any

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.compose.risks import ALLOWABLE
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.target_kinds import docker_host, hooks
from fairlead.domain.target_kinds.kind import TargetKind

SECTION = "compose"


def section(block: Block) -> dict[str, Any]:
    """`{file: compose.yml, service: web}`."""
    said = {"file": block.text("file", required=True), "service": block.text("service", required=True)}
    block.close()
    return said


def options(block: Block) -> dict[str, Any]:
    """`profiles` that run there, and what is otherwise unsafe and `allow`ed there."""
    said = {"profiles": _sorted(block, "profiles"), "allow": _sorted(block, "allow")}
    for name in said["allow"]:
        if name not in ALLOWABLE:
            detail = f"{name!r:.60} is not one of {', '.join(ALLOWABLE)}{did_you_mean(name, ALLOWABLE)}"
            block.flaw(Code.BAD_VALUE, detail, "allow")
    block.close()
    return {key: value for key, value in said.items() if value}


def _sorted(block: Block, key: str) -> list[str]:
    return sorted(set(block.words(key)))


KIND = TargetKind(
    endpoint=re.compile(docker_host.LOCAL),
    example="unix:///path/docker.sock",
    key="compose",
    options=options,
    sections=(SECTION, hooks.SECTION),
)
