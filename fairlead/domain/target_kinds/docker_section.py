"""How a component is run in a container, wherever the engine is: what `docker run` takes, in one notation each."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import Any, Final

from fairlead.domain.blocks import Block, is_name
from fairlead.domain.codes import Code
from fairlead.domain.compose.risks import HARMLESS
from fairlead.domain.durations import format_duration
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.target_kinds.docker_rights import capabilities, ulimits
from fairlead.domain.target_kinds.kind import Objection

SECTION: Final = "docker"
SECRETS: Final = "secrets"
ENV: Final = "env"
FILES: Final = "files"
MIGRATION: Final = "migration"
ONE_SHOTS: Final = ("init", MIGRATION)
SIDECAR: Final = "sidecar"
ROLES: Final = ("service", SIDECAR, *ONE_SHOTS)
OWN: Final = "own"
STOP_FIRST: Final = "stop_first"
UNSAFE: Final = ("host_paths", "capabilities")
"""What gives a container rights beyond itself; a target must `allow` it by this name."""

_DAY = 86_400.0
_UNITS: Final = {"k": 1024, "m": 1024**2, "g": 1024**3}
_SIZE = re.compile(r"([1-9][0-9]{0,8})([kmg])(i?b)?", re.IGNORECASE)
_PATH = re.compile(r"/[^\x00-\x1f\x7f:,]*")
_VOLUME = re.compile(r"([^:]+):([^:]+)(:ro)?")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,31})?")
_RESTART = re.compile(r"no|always|unless-stopped|on-failure(:[1-9][0-9]{0,3})?")
_OFTEN: Final = "unless-stopped"


def section(block: Block) -> dict[str, Any]:
    """Everything that can be said; what is as usual is left out."""
    said: dict[str, Any] = {
        "role": _unless(block.choice("role", ROLES[0], ROLES), ROLES[0]),
        "beside": block.text("beside"),
        SECRETS: _unless(block.choice(SECRETS, ENV, (ENV, FILES)), ENV),
        "replicas": _unless(block.count("replicas", 1, 1, 50), 1),
        "order": _unless(block.choice("order", "auto", ("auto", STOP_FIRST)), "auto"),
        "timeout": _timeout(block),
        "restart": _unless(
            _matching(block, "restart", _RESTART, "no, always, unless-stopped or on-failure[:N]"), _OFTEN
        ),
        "user": _matching(block, "user", _USER, "a user or user:group"),
        "cpus": _cpus(block),
        "memory": _size(block, "memory"),
        "pids": block.count("pids", 0, 1, 4_194_304) if block.has("pids") else 0,
        **{key: block.flag(key, False) for key in ("read_only", "no_new_privileges")},
        **{key: capabilities(block, key) for key in ("cap_add", "cap_drop")},
        "networks": _checked(
            block, "networks", block.strings("networks"), _is_network, "own or external, by a network's name"
        ),
        "extra_hosts": _checked(
            block, "extra_hosts", block.strings("extra_hosts"), _is_host, "an address or host-gateway, by a host's name"
        ),
        "ulimits": ulimits(block),
        "volumes": _volumes(block),
        "tmpfs": _paths(block, "tmpfs"),
        "log": _log(block.block("log")),
    }
    block.close()
    _check_role(block, said)
    return {key: value for key, value in said.items() if value}


def check(block: Block, said: Mapping[str, Any], ports: Collection[str], has_health: bool) -> None:
    """What of a whole component does not go with this section."""
    if said.get("replicas") and ports:
        block.flaw(Code.BAD_VALUE, "several replicas cannot have one host port", SECTION, "replicas")
    if said.get("role") == SIDECAR and ports:
        block.flaw(Code.BAD_VALUE, "a sidecar has the ports of its component", SECTION, "role")
    if is_one_shot(said) and (ports or has_health):
        block.flaw(Code.BAD_VALUE, "what runs once has neither ports nor a health check", SECTION, "role")


def misplaced(sections: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[tuple[str, str]]:
    """Sidecars that have nobody to be beside, and why; from the blocks of all components, by name."""
    for name, blocks in sections.items():
        main = blocks.get(SECTION, {}).get("beside")
        there = sections.get(main, {}).get(SECTION, {}) if main else {}
        if main and main not in sections:
            yield name, f"there is no {main!r:.60} to be beside"
        elif "role" in there or "replicas" in there:
            yield name, f"{main} is no single service, so nothing can be beside it"


def engine_options(block: Block) -> dict[str, Any]:
    """What a target says of its engine: which unsafe things it allows, and of how many releases images are kept."""
    allowed = sorted(set(block.words("allow")))
    for name in allowed:
        if name not in UNSAFE:
            detail = f"{name!r:.60} is not one of {', '.join(UNSAFE)}{did_you_mean(name, UNSAFE)}"
            block.flaw(Code.BAD_VALUE, detail, "allow")
    keep = block.count("keep", 0, 1, 1000) if block.has("keep") else 0
    return {key: value for key, value in (("allow", allowed), ("keep", keep)) if value}


def is_one_shot(said: Mapping[str, Any]) -> bool:
    """Whether it is to end before anything else is changed."""
    return said.get("role") in ONE_SHOTS


def beside(run: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The component whose network a sidecar has. `run`: the component's blocks."""
    return run.get(SECTION, {}).get("beside")


def unsafe(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What must be allowed by the target, and why."""
    paths = [volume for volume in said.get("volumes", ()) if volume.startswith("/")]
    if paths:
        yield "host_paths", f"it mounts files of the host: {', '.join(paths)}"
    added = sorted(set(said.get("cap_add", ())) - HARMLESS)
    if added:
        yield "capabilities", f"it has more rights than a container should: {', '.join(added)}"


def objections(run: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> list[Objection]:
    """What of a component a target does not allow. `run`: the component's blocks."""
    allowed = options.get("allow", ())
    return [
        (Code.CONTAINER_UNSAFE, f"{words}; a target must `allow: [{rule}]`")
        for rule, words in unsafe(run.get(SECTION, {}))
        if rule not in allowed
    ]


def _check_role(block: Block, said: Mapping[str, Any]) -> None:
    once = is_one_shot(said)
    for key in ("replicas", "order", "restart"):
        if once and said[key]:
            block.flaw(Code.BAD_VALUE, f"what runs once has no {key}", key)
    aside = said["role"] == SIDECAR
    if aside != bool(said["beside"]):
        block.flaw(Code.MISSING_FIELD, "a sidecar says which component it is `beside`, and nothing else does", "beside")
    for key in ("replicas", "networks", "extra_hosts"):
        if aside and said[key]:
            block.flaw(Code.BAD_VALUE, f"a sidecar has the network of its component, and no {key}", key)
    if said["read_only"] and said[SECRETS]:
        block.flaw(
            Code.BAD_VALUE, "nothing can be written into a container that is read-only, not even secrets", SECRETS
        )
    if said["timeout"] and not once:
        block.flaw(Code.BAD_VALUE, "timeout is for what runs once (role: init or migration)", "timeout")


def _unless(value: Any, usual: Any) -> Any:
    return None if value == usual else value


def _matching(block: Block, key: str, pattern: re.Pattern[str], meant: str) -> str:
    text = block.text(key)
    if text and not pattern.fullmatch(text):
        block.flaw(Code.BAD_VALUE, f"{text!r:.60} is not {meant}", key)
    return text


def _timeout(block: Block) -> str:
    seconds = block.duration("timeout", 0.0, 1.0, _DAY)
    return format_duration(seconds) if seconds else ""


def _cpus(block: Block) -> str:
    """A plain decimal number in its shortest form."""
    text = block.text("cpus")
    try:
        number = Decimal(text or "1")
    except InvalidOperation:
        number = Decimal(0)
    if not (number.is_finite() and Decimal("0.01") <= number <= 1024 and number == round(number, 2)):
        block.flaw(Code.BAD_VALUE, f"{text!r:.60} is not a number of CPUs from 0.01 to 1024", "cpus")
        return ""
    return f"{number.normalize():f}" if text else ""


def _size(block: Block, key: str) -> str:
    """The largest unit that leaves a whole number: `1536m`, `2g`."""
    text = block.text(key)
    match = _SIZE.fullmatch(text)
    if text and (not match or bytes_of(match[1] + match[2].lower()) < 6 * _UNITS["m"]):
        block.flaw(Code.BAD_VALUE, f"{text!r:.60} is not a size of at least 6m, such as 512m or 2g", key)
    if not match:
        return ""
    size = bytes_of(match[1] + match[2].lower())
    unit = next(unit for unit in reversed(_UNITS) if size % _UNITS[unit] == 0)
    return f"{size // _UNITS[unit]}{unit}"


def bytes_of(size: str) -> int:
    """Of the normal form."""
    return int(size[:-1]) * _UNITS[size[-1]]


def _checked(
    block: Block, key: str, said: dict[str, str], good: Callable[[str, str], bool], meant: str
) -> dict[str, str]:
    for name, value in said.items():
        if not good(name, value):
            block.flaw(Code.BAD_VALUE, f"{name!r:.60}: {value!r:.60} is not {meant}", key, name)
    return said


def _is_network(name: str, word: str) -> bool:
    return is_name(name) if word == OWN else word == "external" and _WORD.fullmatch(name) is not None


def _is_host(name: str, address: str) -> bool:
    try:
        return _WORD.fullmatch(name) is not None and (address == "host-gateway" or bool(ip_address(address)))
    except ValueError:
        return False


def _volumes(block: Block) -> list[str]:
    """`NAME:/path` is a volume of the target's own, `/path:/path` a folder of the host; `:ro` may follow."""
    said = block.words("volumes")
    inside: set[str] = set()
    for index, text in enumerate(said):
        match = _VOLUME.fullmatch(text)
        good = match and (is_name(match[1]) or _is_path(match[1])) and _is_path(match[2]) and match[2] not in inside
        if not match or not good:
            block.flaw(
                Code.BAD_VALUE,
                f"{text!r:.80} is not NAME:/path or /path:/path, each path inside once",
                "volumes",
                index,
            )
        else:
            inside.add(match[2])
    return sorted(said)


def _paths(block: Block, key: str) -> list[str]:
    said = block.words(key)
    for index, text in enumerate(said):
        if not _is_path(text):
            block.flaw(Code.BAD_VALUE, f"{text!r:.80} is not an absolute path", key, index)
    return sorted(set(said))


def _is_path(text: str) -> bool:
    return _PATH.fullmatch(text) is not None and ".." not in text.split("/")


def _log(block: Block) -> dict[str, Any]:
    said: dict[str, Any] = {
        "driver": _matching(block, "driver", _WORD, "the name of a log driver"),
        "options": block.strings("options"),
    }
    block.close()
    if said["options"] and not said["driver"]:
        block.flaw(Code.MISSING_FIELD, "options are a driver's", "driver")
    return {key: value for key, value in said.items() if value}
