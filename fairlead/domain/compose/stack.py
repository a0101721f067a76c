"""What a compose file is made into a lock with: the components of a release as services, on one target."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SERVICE = "fairlead.service"
ONE_SHOT = "fairlead.one-shot"
KIND = "fairlead.kind"
CONFIG = "fairlead.config"
COMPONENT = "fairlead.component"
DATA = "data"
OURS = "x-fairlead"
"""The block in which a lock says what it needs besides itself: `secrets`, by the variable each is read into."""
LOCK = "compose.fairlead.lock.yml"


@dataclass(frozen=True, slots=True)
class Part:
    """A component as the service that it is. `secrets`: the name it knows one by, and where that lies. `labels`: what its container says."""

    component: str
    service: str
    repository: str
    digest: str
    env: Mapping[str, str]
    labels: Mapping[str, str]
    ports: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    stop_grace: float = 10.0
    depends_on: tuple[str, ...] = ()
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def variable(self, secret: str) -> str:
        """The variable under which a secret's value reaches Compose."""
        return f"FAIRLEAD_SECRET_{self.component.replace('-', '_')}__{secret}"


@dataclass(frozen=True, slots=True)
class Stack:
    """All of them on one target. `labels`: of the containers that are no component; `place`: of what outlives a deployment."""

    name: str
    parts: tuple[Part, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def part(self, service: str) -> Part | None:
        """The component that a service is."""
        return next((part for part in self.parts if part.service == service), None)

    def made_from(self, image: str) -> Part | None:
        """The component whose repository an image is from, whatever its tag."""
        return next((part for part in self.parts if repository_of(part.repository) == repository_of(image)), None)


def repository_of(image: str) -> str:
    """`host/path` of an image's name, without tag and digest; the hub's written out."""
    name = image.partition("@")[0]
    path, colon, tag = name.rpartition(":")
    name = path if colon and "/" not in tag else name
    host, slash, _ = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def pinned(image: str) -> str:
    """`name@digest`, without the tag that stands for nothing beside a digest."""
    name, at, digest = image.partition("@")
    path, colon, tag = name.rpartition(":")
    name = path if colon and "/" not in tag else name
    return f"{name}{at}{digest}"
