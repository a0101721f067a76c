"""What is not safe in a compose file, as a table: what is never carried out, what only where the target allows it, and what is only worth knowing."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fairlead.domain.blocks import pointer
from fairlead.domain.compose.shapes import (
    CARRIED,
    DEPLOY,
    DROPPED,
    INNER,
    TOP,
    Tree,
    host_paths,
    host_ports,
    items,
    mapping,
    own,
)
from fairlead.domain.compose.soundness import unsound
from fairlead.domain.nearest import nearest


class Level(StrEnum):
    """How a finding counts."""

    REFUSED = "refused"
    UNSAFE = "unsafe"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found; `rule` is stable, the words are for people."""

    rule: str
    level: Level
    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`look` answers what is wrong with a service, nothing where all is well."""

    name: str
    level: Level
    look: Callable[[Tree], str]


_SOCKETS = {"/", "/var", "/var/run", "/run"}
_USUAL = "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
HARMLESS = frozenset(_USUAL.split())
"""The capabilities that every container has unless they are dropped."""
_NAMESPACES = ("pid", "ipc", "uts", "userns_mode")


def _is_set(value: object) -> bool:
    return str(value).lower() not in {"none", "false", ""}


def _privileged(service: Tree) -> str:
    return "it is privileged: whoever is in it owns the host" if _is_set(service.get("privileged")) else ""


def _host_network(service: Tree) -> str:
    mode = str(service.get("network_mode", ""))
    return f"it shares a network that is not its own: {mode}" if mode.startswith(("host", "container", "$")) else ""


def _host_namespace(service: Tree) -> str:
    shared = [key for key in _NAMESPACES if str(service.get(key, "")).startswith(("host", "container", "$"))]
    return f"it shares with the host: {', '.join(shared)}" if shared else ""


def _is_socket(path: str) -> bool:
    return path.endswith("docker.sock") or (path.rstrip("/") or path[:1]) in _SOCKETS


def _docker_socket(service: Tree) -> str:
    found = [path for path in host_paths(service) if _is_socket(path)]
    return f"it reaches the engine itself through {found[0]}" if found else ""


def _host_path(service: Tree) -> str:
    found = [path for path in host_paths(service) if not _is_socket(path)]
    return f"it mounts files of the host: {', '.join(found)}" if found else ""


def _devices(service: Tree) -> str:
    reserved = mapping(mapping(mapping(service.get("deploy")).get("resources")).get("reservations"))
    return "it has devices of the host" if service.get("devices") or reserved.get("devices") else ""


def _capabilities(service: Tree) -> str:
    added = {str(name).upper().removeprefix("CAP_") for name in items(service.get("cap_add"))} - HARMLESS
    return f"it has more rights than a container should: {', '.join(sorted(added))}" if added else ""


def _security_opt(service: Tree) -> str:
    harmless = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
    found = [str(option) for option in items(service.get("security_opt")) if str(option) not in harmless]
    return f"it loosens its own fence: {', '.join(found)}" if found else ""


def _no_healthcheck(service: Tree) -> str:
    check = mapping(service.get("healthcheck"))
    lacking = not check or _is_set(check.get("disable"))
    return "it has no healthcheck: running is all that can be seen of it" if lacking else ""


def _container_name(service: Tree) -> str:
    return "its fixed container_name is left out: it would collide" if service.get("container_name") else ""


def _host_port(service: Tree) -> str:
    ports = sorted(host_ports(service))
    return f"it takes fixed ports of the host: {', '.join(map(str, ports[:8]))}" if ports else ""


def _no_restart(service: Tree) -> str:
    return "" if service.get("restart") else "nothing starts it again when it ends or the engine is restarted"


def _replicas(service: Tree) -> str:
    wanted = {str(service.get("scale", 1)), str(mapping(service.get("deploy")).get("replicas", 1))}
    return "" if wanted == {"1"} else "there is one container for each service"


def _unknown(service: Tree) -> str:
    strange = _not_carried(service, CARRIED | DROPPED)
    inner = _not_carried(
        {f"deploy.{key}": key for key in mapping(service.get("deploy"))}, {f"deploy.{k}" for k in DEPLOY}
    )
    return "; ".join(words for words in (strange, inner) if words)


def _not_carried(tree: Tree, known: Collection[str]) -> str:
    """With a guess where something close is meant."""
    strange = [key for key in tree if key not in known and not own(key.rpartition(".")[2])]
    meant = sorted({name for key in strange for name in nearest(key, known, 1)})
    guess = f"; did you mean {', '.join(meant)}?" if meant else ""
    return f"not carried: {', '.join(strange)}{guess}" if strange else ""


RULES = (
    Rule("unsupported", Level.REFUSED, _unknown),
    Rule("replicas", Level.REFUSED, _replicas),
    Rule("privileged", Level.UNSAFE, _privileged),
    Rule("host_network", Level.UNSAFE, _host_network),
    Rule("host_namespace", Level.UNSAFE, _host_namespace),
    Rule("docker_socket", Level.UNSAFE, _docker_socket),
    Rule("host_path", Level.UNSAFE, _host_path),
    Rule("devices", Level.UNSAFE, _devices),
    Rule("capabilities", Level.UNSAFE, _capabilities),
    Rule("security_opt", Level.UNSAFE, _security_opt),
    Rule("no_healthcheck", Level.NOTED, _no_healthcheck),
    Rule("container_name", Level.NOTED, _container_name),
    Rule("host_port", Level.NOTED, _host_port),
    Rule("no_restart", Level.NOTED, _no_restart),
)
ALLOWABLE = tuple(rule.name for rule in RULES if rule.level is Level.UNSAFE)
"""What a target may allow."""


def find(document: Tree, given: Collection[str], one_shots: Collection[str] = ()) -> Iterator[Finding]:
    """Everything worth saying of a compose file. `given`: the services whose image comes from the release."""
    yield from _strange(document, "", TOP)
    yield from (Finding(rule, Level.REFUSED, at, words) for rule, at, words in unsound(document))
    for name, service in mapping(document.get("services")).items():
        at = pointer("", "services", name)
        if not isinstance(service, Mapping):
            yield Finding("unsupported", Level.REFUSED, at, "a service is a mapping")
            continue
        yield from _service(service, at, one_shot=name in one_shots)
        if name not in given:
            yield from _image(service, at)
    yield from _resources(document)


def refuses(finding: Finding, allow: Collection[str]) -> bool:
    """Whether a finding forbids that the file is carried out."""
    return finding.level is Level.REFUSED or (finding.level is Level.UNSAFE and finding.rule not in allow)


def _service(service: Tree, at: str, *, one_shot: bool) -> Iterator[Finding]:
    for rule in RULES:
        expected = one_shot and rule.name in {"no_healthcheck", "no_restart"}
        if not expected and (words := rule.look(service)):
            yield Finding(rule.name, rule.level, at, words)


def _image(service: Tree, at: str) -> Iterator[Finding]:
    image = str(service.get("image") or "")
    name, _, digest = image.partition("@")
    if not image:
        words = "it is only built, and no component of the release is it" if service.get("build") else "it has no image"
        yield Finding("build_only", Level.REFUSED, at, words)
    elif not digest.startswith("sha256:"):
        tag = name.rpartition("/")[2].partition(":")[2]
        rule = "latest_tag" if tag in {"", "latest"} else "unpinned"
        yield Finding(rule, Level.REFUSED, at, f"{image} may be another image tomorrow: write {name}@sha256:...")


def _resources(document: Tree) -> Iterator[Finding]:
    for kind, known in INNER.items():
        for name, said in mapping(document.get(kind)).items():
            at = pointer("", kind, name)
            yield from _strange(mapping(said), at, known)
            if words := _RESOURCES.get(kind, _nothing)(name, mapping(said)):
                rule = "host_path" if kind == "volumes" else "host_network"
                yield Finding(rule, Level.UNSAFE, at, words)


def _strange(tree: Mapping[str, Any], at: str, known: Collection[str]) -> Iterator[Finding]:
    if words := _not_carried(tree, known):
        yield Finding("unsupported", Level.REFUSED, at, words)


def _nothing(name: str, said: Tree) -> str:
    return ""


def _volume(name: str, said: Tree) -> str:
    options = mapping(said.get("driver_opts"))
    elsewhere = str(options.get("type", "")) in _NOT_OF_THE_HOST and "bind" not in str(options.get("o", ""))
    return "" if elsewhere or not options.get("device") else f"the volume is the host's own {options['device']}"


def _network(name: str, said: Tree) -> str:
    called = str(said.get("name") or (name if said.get("external") else ""))
    shared = sorted({str(said.get("driver", "")), called} & _HOST_NETWORKS)
    return f"the network is the host's own: {shared[0]}" if shared else ""


_NOT_OF_THE_HOST = {"tmpfs", "nfs", "nfs4", "cifs"}
_HOST_NETWORKS = {"host", "macvlan", "ipvlan"}
_RESOURCES = {"volumes": _volume, "networks": _network}
