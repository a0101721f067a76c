"""SSH hosts in the catalogue: supervised processes, or containers, on a machine that is reached over SSH."""

import re
from collections.abc import Mapping
from typing import Any, Final

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.target_kinds import docker_section, fields, hooks
from fairlead.domain.target_kinds.kind import Objection, TargetKind

PROCESS: Final = "process"
DOCKER: Final = "docker"
PORT: Final = 22
CONNECT_TIMEOUT: Final = 10.0
SILENCE_TIMEOUT: Final = 30.0
SESSIONS: Final = 4
DURATIONS: Final = ("connect_timeout", "silence_timeout")

_OF_RUNTIME: Final = {"root": PROCESS, "socket": DOCKER, "allow": DOCKER, "keep": DOCKER}
_REFERENCES = ("key", "passphrase", "certificate", "password")
_HOST = r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
ENDPOINT: Final = re.compile(rf"ssh://([A-Za-z_][A-Za-z0-9._-]*@)?{_HOST}{_PORT}")
_EXAMPLE = "ssh://deploy@host or ssh://deploy@host:2222"
_PATH = re.compile(r"(?!.*/\.\.(/|$))/[^\x00-\x1f\x7f]+")
_HOST_KEY = re.compile(r"(@revoked )?[^\s@]\S* [a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( .*)?")


def options(block: Block) -> dict[str, Any]:
    """How a host is reached, and what runs components there."""
    runtime = block.choice("runtime", PROCESS, (PROCESS, DOCKER))
    root = _path(block, "root")
    about = docker_section.engine_options(block)
    for name, meant in _OF_RUNTIME.items():
        if meant != runtime and block.has(name):
            block.flaw(Code.BAD_VALUE, f"`{name}` is for `runtime: {meant}`", name)
    return {"runtime": runtime, **({"root": root} if root else {}), **about, **access(block)}


def access(block: Block) -> dict[str, Any]:
    """How a host is reached, and its engine where that is what is wanted there."""
    found: dict[str, Any] = {name: fields.reference(block, name) for name in _REFERENCES}
    found |= {name: _path(block, name) for name in ("known_hosts", "socket")}
    found["host_keys"] = _lines(block, "host_keys", _HOST_KEY, "a line of known_hosts: HOST TYPE KEY")
    found["jump"] = _lines(block, "jump", ENDPOINT, _EXAMPLE)
    found |= {name: block.flag(name, False) for name in ("agent", "sudo")}
    found["connect_timeout"] = fields.seconds(block, "connect_timeout", CONNECT_TIMEOUT, 1.0, 120.0)
    found["silence_timeout"] = fields.seconds(block, "silence_timeout", SILENCE_TIMEOUT, 10.0, 600.0)
    sessions = block.count("sessions", SESSIONS, 1, 64)
    found["sessions"] = sessions if sessions != SESSIONS else None
    block.close()
    if not (found["key"] or found["password"] or found["agent"]):
        block.flaw(Code.MISSING_FIELD, "there is nothing to log in with: key, password or agent")
    for name in ("passphrase", "certificate"):
        if found[name] and not found["key"]:
            block.flaw(Code.MISSING_FIELD, f"a {name} belongs to a key", name)
    return {name: value for name, value in found.items() if value}


def _path(block: Block, name: str) -> str:
    text = block.text(name)
    if text and not _PATH.fullmatch(text):
        block.flaw(Code.BAD_VALUE, f"{text!r:.60} is not an absolute path without '..'", name)
    return text


def _lines(block: Block, name: str, pattern: re.Pattern[str], meant: str) -> list[str]:
    lines = block.words(name)
    for index, line in enumerate(lines):
        if not pattern.fullmatch(line):
            block.flaw(Code.BAD_VALUE, f"{line!r:.60} is not {meant}", name, index)
    return list(lines)


def _objections(run: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> list[Objection]:
    """Of a Docker host where there is an engine, else of a process host."""
    on_engine = options.get("runtime", PROCESS) == DOCKER
    return (docker_section.objections if on_engine else hooks.without_containers)(run, options)


KIND = TargetKind(
    endpoint=ENDPOINT,
    example=_EXAMPLE,
    key="ssh",
    options=options,
    objections=_objections,
    sections=(docker_section.SECTION, hooks.SECTION),
)
