"""The lock of one target: the team's compose file with this release, this configuration and this claim in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.docker_host import labels
from agents.secrets import Safe
from fairlead.adapters import compose_yaml
from fairlead.contracts.release import SecretUse
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.compose import lock, reading
from fairlead.domain.compose.reading import LockedService
from fairlead.domain.compose.stack import Part, Stack
from fairlead.domain.errors import BadInput
from fairlead.domain.fence import Claim
from fairlead.domain.files import FIELD
from fairlead.domain.target_kinds.compose_host import SECTION

_UNUSED = "not needed"


@dataclass(frozen=True, slots=True)
class Lock:
    """`text` is what is sent, sealed and kept; the rest is what it says."""

    text: str
    document: Mapping[str, Any]
    services: tuple[LockedService, ...]

    @property
    def name(self) -> str:
        """The Compose project."""
        return str(self.document["name"])

    def secrets(self, services: set[str]) -> dict[str, SecretUse]:
        """What these services need, by variable."""
        needed = reading.needed(self.document, services)
        return {v: SecretUse(**use) for v, use in reading.secrets(self.document).items() if v in needed}

    def values(self, services: set[str], safe: Safe) -> dict[str, str]:
        """The secrets that these services need; Compose wants all variables to be there, used or not."""
        values = {variable: safe.value(variable, use) for variable, use in self.secrets(services).items()}
        return {**dict.fromkeys(self.variables(), _UNUSED), **values}

    def variables(self) -> tuple[str, ...]:
        """Every variable that stands in it."""
        return tuple(reading.secrets(self.document))


def read(text: str) -> Lock:
    """A lock that was written before."""
    document = compose_yaml.read(text)
    return Lock(text, document, reading.services(document))


def make(spec: TargetSpec, claim: Claim) -> Lock:
    """The lock of a specification. Raises BadInput: what stands in the file is not carried out, or not there."""
    parts = [_part(spec, component, claim) for component in spec.components]
    options = spec.options
    stack = Stack(
        name=labels.stem(spec),
        parts=tuple(parts),
        labels=labels.of_release(spec, claim),
        place=labels.of_target(spec),
        profiles=tuple(options.get("profiles", ())),
        allow=tuple(options.get("allow", ())),
    )
    made = lock.make(compose_yaml.read(_template(spec)), stack)
    if made.flaws:
        raise BadInput(made.flaws[0].code, _told(made.flaws[0].pointer, made.flaws[0].detail), flaws=made.flaws)
    return read(compose_yaml.write(made.document))


def _told(pointer: str, detail: str) -> str:
    return f"the compose file cannot be carried out: {pointer}: {detail}"


def _template(spec: TargetSpec) -> str:
    """The one file that all components name."""
    files = {_section(component)[FIELD]: component.files for component in spec.components}
    if len(files) > 1:
        detail = f"all components of a target stand in one compose file, not in {', '.join(sorted(files))}"
        raise BadInput(Code.NOT_SUPPORTED_YET, detail)
    return next((content[path] for path, content in files.items()), "services: {}\n")


def _section(component: ComponentSpec) -> Mapping[str, Any]:
    said: Mapping[str, Any] | None = (component.config.run or {}).get(SECTION)
    if said is None:
        detail = f"{component.name} does not say which service of which compose file it is"
        raise BadInput(Code.MISSING_FIELD, detail, hint="compose: {file: compose.yml, service: NAME}")
    return said


def _part(spec: TargetSpec, component: ComponentSpec, claim: Claim) -> Part:
    config = component.config
    return Part(
        component=component.name,
        service=_section(component)["service"],
        repository=config.repository,
        digest=component.digest,
        env=config.env,
        labels=labels.of_container(spec, component, claim),
        ports=config.ports,
        command=config.command,
        stop_grace=config.stop_grace,
        depends_on=config.depends_on,
        secrets={name: use.model_dump() for name, use in sorted((config.secrets or {}).items())},
    )
