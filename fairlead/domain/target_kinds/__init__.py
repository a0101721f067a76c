"""What the catalogue may say of each target type. A new type is a module of its own and a line in each table it needs."""

from collections.abc import Mapping
from typing import Any

from fairlead.domain.catalogue import TargetType
from fairlead.domain.codes import Code
from fairlead.domain.target_kinds import (
    compose_host,
    docker_host,
    docker_section,
    ecs_service,
    hooks,
    nomad_job,
    process_host,
    ssh_host,
    winrm_host,
)
from fairlead.domain.target_kinds.kind import Objection, Reader, TargetKind

KINDS: dict[TargetType, TargetKind] = {
    TargetType.DOCKER_HOST: docker_host.KIND,
    TargetType.PROCESS_HOST: process_host.KIND,
    TargetType.COMPOSE_HOST: compose_host.KIND,
    TargetType.ECS_SERVICE: ecs_service.KIND,
    TargetType.NOMAD_JOB: nomad_job.KIND,
    TargetType.SSH_HOST: ssh_host.KIND,
    TargetType.WINRM_HOST: winrm_host.KIND,
}

SECTIONS: dict[str, Reader] = {
    docker_section.SECTION: docker_section.section,
    compose_host.SECTION: compose_host.section,
    ecs_service.SECTION: ecs_service.section,
    nomad_job.SECTION: nomad_job.section,
    hooks.SECTION: hooks.section,
}
"""The blocks in which a component says how it runs on one type of target. A field `file` in one names a file of the catalogue."""


def objections(
    type: TargetType, sections: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]
) -> list[Objection]:
    """What of a component cannot be on such a target. What it says for other types is passed over; its hooks must be run, or it is none for there."""
    kind = KINDS[type]
    if hooks.SECTION in sections and hooks.SECTION not in kind.sections:
        return [(Code.NOT_SUPPORTED_YET, f"it has hooks, and a {type} runs none")]
    return kind.objections({key: said for key, said in sections.items() if key in kind.sections}, options)
