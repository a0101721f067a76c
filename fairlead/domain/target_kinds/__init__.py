"""What the catalogue may say of each target type. A new type is a module of its own and a line in each table it needs."""

from fairlead.domain.catalogue import TargetType
from fairlead.domain.target_kinds import (
    compose_host,
    docker_host,
    docker_section,
    nomad_job,
    process_host,
    ssh_host,
    winrm_host,
)
from fairlead.domain.target_kinds.kind import Reader, TargetKind

KINDS: dict[TargetType, TargetKind] = {
    TargetType.DOCKER_HOST: docker_host.KIND,
    TargetType.PROCESS_HOST: process_host.KIND,
    TargetType.COMPOSE_HOST: compose_host.KIND,
    TargetType.NOMAD_JOB: nomad_job.KIND,
    TargetType.SSH_HOST: ssh_host.KIND,
    TargetType.WINRM_HOST: winrm_host.KIND,
}

SECTIONS: dict[str, Reader] = {
    docker_section.SECTION: docker_section.section,
    compose_host.SECTION: compose_host.section,
    nomad_job.SECTION: nomad_job.section,
}
"""The blocks in which a component says how it runs on one type of target. A field `file` in one names a file of the catalogue."""
