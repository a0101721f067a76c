"""What a lock says, read back: the one that is about to be sent, or the one that was kept to go back to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.domain.compose.interpolation import unescape
from fairlead.domain.compose.shapes import host_ports, mapping, named
from fairlead.domain.compose.stack import COMPONENT, CONFIG, ONE_SHOT, OURS


@dataclass(frozen=True, slots=True)
class LockedService:
    """A service of a lock. `component` is empty for one that is none."""

    name: str
    container: str
    image: str
    labels: Mapping[str, str]
    ports: frozenset[int]

    @property
    def component(self) -> str:
        """The component that it is."""
        return self.labels.get(COMPONENT, "")

    @property
    def called(self) -> str:
        """What people know it by."""
        return self.component or self.name

    @property
    def config(self) -> str:
        """What tells whether a container is as asked."""
        return self.labels.get(CONFIG, "")

    @property
    def one_shot(self) -> bool:
        """Whether it ends by itself."""
        return ONE_SHOT in self.labels


def services(lock: Mapping[str, Any]) -> tuple[LockedService, ...]:
    """All services, in the order of the file."""
    return tuple(
        LockedService(
            name=name,
            container=said["container_name"],
            image=unescape(said["image"]),
            labels={key: unescape(value) for key, value in said["labels"].items()},
            ports=frozenset(host_ports(said)),
        )
        for name, said in mapping(lock.get("services")).items()
    )


def secrets(lock: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The references that are needed, by the variables they are read into."""
    said = mapping(mapping(lock.get(OURS)).get("secrets"))
    return {variable: {key: unescape(text) for key, text in use.items()} for variable, use in said.items()}


def needed(lock: Mapping[str, Any], names: Collection[str]) -> set[str]:
    """The variables without which these services cannot be made or started."""
    said = [about for name, about in mapping(lock.get("services")).items() if name in names]
    mounted = {
        mapping(mapping(lock.get("secrets")).get(source)).get("environment")
        for s in said
        for source in named(s.get("secrets"))
    }
    values = [str(value) for about in said for value in mapping(about.get("environment")).values()]
    return {v for v in secrets(lock) if v in mounted or any(f"${{{v}}}" in value for value in values)}
