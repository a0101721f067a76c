"""The hosts of an SSH configuration, by reading it alone: what would run a command or ask the network is left out, and told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_PATTERN = frozenset("*?!")
_RUNS: Final = "exec"
_ASKS: Final = "canonicalizehostname"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Those that are named, not matched, and what is said of each; and what was not read, with why."""

    said: Mapping[str, Mapping[str, Any]]
    unread: Mapping[str, str]


def read(text: str) -> Hosts:
    """Raises paramiko's ConfigParseError."""
    import paramiko

    taken = _taken(text)
    known = paramiko.SSHConfig.from_text("\n".join(taken.lines))
    return Hosts({host: known.lookup(host) for host in sorted(taken.hosts)}, taken.unread)


@dataclass(slots=True)
class _Taken:
    lines: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    unread: dict[str, str] = field(default_factory=dict)


def _taken(text: str) -> _Taken:
    """The library would run what `Match exec` says, resolve names, and read over `Include` without a word."""
    taken, inside = _Taken(), True
    for line in text.splitlines():
        key, said = _split(line)
        if key in {"host", "match"}:
            inside = not (key == "match" and _RUNS in said.lower().split())
        if key == "include":
            taken.unread[line.strip()] = "files that are included are not read; give each with --config"
        elif not inside:
            taken.unread.update({line.strip(): "commands are not run"} if key == "match" else {})
        elif key != _ASKS:
            taken.lines.append(line)
            taken.hosts |= set(_named(said)) if key == "host" else set()
    return taken


def _split(line: str) -> tuple[str, str]:
    """Keyword and arguments; `=` may stand between them."""
    key, _, said = line.strip().replace("=", " ", 1).partition(" ")
    return key.lower(), said.strip()


def _named(said: str) -> Iterator[str]:
    return (host for word in said.split() if (host := word.strip('"')) and not _PATTERN & set(host))
