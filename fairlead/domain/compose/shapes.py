"""The two ways in which Compose lets many things be written, made one; and which keys are understood at all."""

from collections.abc import Iterator, Mapping
from typing import Any

Tree = Mapping[str, Any]

TOP = frozenset({"name", "version", "services", "networks", "volumes", "configs", "secrets"})

_CARRIED = (
    "annotations blkio_config cap_add cap_drop command configs cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset "
    "depends_on deploy devices dns dns_opt dns_search domainname entrypoint environment expose extra_hosts group_add healthcheck "
    "hostname image init ipc labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit network_mode "
    "networks oom_kill_disable oom_score_adj pid pids_limit platform ports privileged read_only restart secrets security_opt "
    "shm_size stdin_open stop_grace_period stop_signal sysctls tmpfs tty ulimits user userns_mode uts volumes working_dir"
)
CARRIED = frozenset(_CARRIED.split())
"""What a service may say, and what reaches the engine as it is."""

DROPPED = frozenset({"attach", "build", "container_name", "develop", "profiles", "pull_policy", "scale"})
"""What a service may say, and what is decided otherwise: by the release, by our names, by the target."""

_VOLUME = frozenset({"driver", "driver_opts", "external", "labels", "name"})
_NETWORK = _VOLUME | {"attachable", "enable_ipv6", "internal", "ipam"}
INNER = {
    "volumes": _VOLUME,
    "networks": _NETWORK,
    "configs": frozenset({"content", "environment"}),
    "secrets": frozenset({"environment"}),
}
"""What may be said of a volume, network, config or secret."""

_VOLUMES = ("", None, "volume")

DEPLOY = frozenset({"replicas", "resources"})


def own(key: str) -> bool:
    """Whether a key is the team's own, of which nobody else takes notice."""
    return key.startswith("x-")


def mapping(value: object) -> Tree:
    """A mapping, empty where there is none."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> list[Any]:
    """A list, empty where there is none."""
    return list(value) if isinstance(value, list) else []


def pairs(value: object) -> dict[str, Any]:
    """`{NAME: value}` or `[NAME=value, NAME]`; a name alone is None."""
    if isinstance(value, Mapping):
        return dict(value)
    split = (str(entry).partition("=") for entry in items(value))
    return {name: text if equals else None for name, equals, text in split}


def named(value: object, key: str = "source") -> dict[str, Tree]:
    """`[NAME, {source: NAME, ...}]` or `{NAME: {...}}`, by name."""
    if isinstance(value, Mapping):
        return {str(name): mapping(said) for name, said in value.items()}
    return {str(e.get(key, "")) if isinstance(e, Mapping) else str(e): mapping(e) for e in items(value)}


def dependencies(value: object) -> dict[str, dict[str, Any]]:
    """`depends_on` with its conditions."""
    plain = {"condition": "service_started"}
    return {name: {**plain, **said} for name, said in named(value).items()}


def awaited(services: Tree) -> set[str]:
    """The services that end by themselves: others wait for their success."""
    waits = [dependencies(mapping(said).get("depends_on")) for said in services.values()]
    return {
        name
        for wait in waits
        for name, said in wait.items()
        if said.get("condition") == "service_completed_successfully"
    }


def host_paths(service: Tree) -> Iterator[str]:
    """What of the host's own files a service mounts."""
    for kind, source in _mounted(service):
        if kind in {"bind", "npipe"} or (kind in _VOLUMES and is_host_path(source)):
            yield source


def named_volumes(service: Tree) -> list[str]:
    """The volumes that a service mounts by name."""
    return [source for kind, source in _mounted(service) if source and kind in _VOLUMES and not is_host_path(source)]


def _mounted(service: Tree) -> Iterator[tuple[Any, str]]:
    """Kind and source of each entry under `volumes`; what is short has no kind."""
    for entry in items(service.get("volumes")):
        said = mapping(entry)
        yield (said.get("type"), str(said.get("source", ""))) if said else ("", _short_source(str(entry)))


def is_host_path(source: str) -> bool:
    """Whether this is no name of a volume."""
    return source.startswith((".", "~", "$")) or "/" in source or "\\" in source


def host_ports(service: Tree) -> set[int]:
    """The ports of the host that a service takes; those of a range each."""
    found: set[int] = set()
    for entry in items(service.get("ports")):
        said = mapping(entry)
        text = str(said.get("published") or "") if said else _short_published(str(entry))
        first, _, last = text.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found |= set(range(int(first), min(int(last or first), 65535) + 1))
    return found


def _short_source(entry: str) -> str:
    source, colon, _ = entry.partition(":")
    return source if colon else ""


def _short_published(entry: str) -> str:
    parts = entry.partition("/")[0].rsplit(":", 2)
    return parts[-2] if len(parts) > 1 else ""
