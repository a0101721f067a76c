"""What other tools know of hosts, as targets of a catalogue: Docker's contexts, and the configuration of SSH. Only files are read."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from fairlead.adapters import ssh_config
from fairlead.domain.blocks import Block
from fairlead.domain.catalogue import TargetType
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Flaw
from fairlead.domain.naming import name_from
from fairlead.domain.target_kinds import KINDS

Said = tuple[str, dict[str, Any], str]
"""A name as it is there, the block of a target, and why it can be none; empty where it can."""
_DEFAULT_PORT = "22"


@dataclass(frozen=True, slots=True)
class Found:
    """A target as a catalogue says it. `unfit`: why a catalogue would not take it as it stands."""

    name: str
    block: Mapping[str, Any]
    unfit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, and what was passed over and why, by the name it has there."""

    targets: tuple[Found, ...] = ()
    passed_over: Mapping[str, str] = field(default_factory=dict)


def docker_folder() -> Path:
    """Where Docker's command line keeps its contexts."""
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def docker_contexts(folder: Path) -> Discovery:
    """The contexts of Docker's command line. Raises BadInput (file_missing where there are none, document_malformed)."""
    metas = sorted((folder / "contexts" / "meta").glob("*/meta.json"))
    if not metas:
        raise BadInput(
            Code.FILE_MISSING, f"there are no Docker contexts in {folder}", hint="docker context create NAME"
        )
    tls = folder / "contexts" / "tls"
    return discovery(_context(meta, tls / meta.parent.name / "docker") for meta in metas)


def ssh_hosts(config: Path) -> Discovery:
    """The hosts that an SSH configuration names; its patterns are no hosts. Raises BadInput (file_missing, document_malformed)."""
    import paramiko

    try:
        hosts = ssh_config.read(config.read_text())
    except OSError as error:
        raise BadInput(Code.FILE_MISSING, f"{config} cannot be read: {error.strerror}") from error
    except (paramiko.ssh_exception.ConfigParseError, UnicodeDecodeError) as error:
        raise BadInput(Code.DOCUMENT_MALFORMED, f"{config} is no SSH configuration: {error}") from error
    unread: list[Said] = [(line, {}, why) for line, why in hosts.unread.items()]
    return discovery((*((host, _host(said, hosts.said), "") for host, said in hosts.said.items()), *unread))


def _context(meta: Path, tls: Path) -> Said:
    try:
        said = _Context.model_validate_json(meta.read_bytes())
    except OSError as error:
        raise BadInput(Code.FILE_MISSING, f"{meta} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise BadInput(
            Code.DOCUMENT_MALFORMED, f"{meta} is no context of Docker's: {error.errors()[0]['msg']}"
        ) from error
    return said.name or meta.parent.name, _engine(said.endpoints.docker.host, tls), ""


class _Endpoint(BaseModel):
    host: str = Field("", alias="Host")


class _Endpoints(BaseModel):
    docker: _Endpoint = _Endpoint()


class _Context(BaseModel):
    """What we read of the description that Docker's command line keeps of a context."""

    name: str = Field("", alias="Name")
    endpoints: _Endpoints = Field(_Endpoints(), alias="Endpoints")


def _engine(endpoint: str, tls: Path) -> dict[str, Any]:
    files = {ours: str(tls / theirs) for ours, theirs in _TLS.items() if (tls / theirs).exists()}
    options: dict[str, Any] = {"ssh": {"agent": True}} if endpoint.startswith("ssh://") else {}
    if files and endpoint.startswith("tcp://"):
        options = {"tls": files}
    return block(TargetType.DOCKER_HOST, endpoint, "docker", options)


_TLS = {"ca": "ca.pem", "certificate": "cert.pem", "key": "key.pem"}


def _host(said: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    keys = [Path(key).expanduser() for key in said.get("identityfile", ())]
    options: dict[str, Any] = {"key": f"file://{keys[0]}"} if keys else {"agent": True}
    jumps = [_jump(jump, others) for jump in str(said.get("proxyjump", "none")).split(",") if jump != "none"]
    if jumps:
        options["jump"] = jumps
    return block(TargetType.SSH_HOST, _endpoint(said), "ssh", options)


def _jump(said: str, others: Mapping[str, Mapping[str, Any]]) -> str:
    """A host of the same configuration by its name there (ssh_config(5), ProxyJump), or one as it is said; its own user and port come first."""
    way = said.strip().removeprefix("ssh://")
    user, at, place = way.rpartition("@")
    host, colon, port = place.partition(":")
    if host not in others:
        return f"ssh://{way}"
    return _endpoint({**others[host], **({"user": user} if at else {}), **({"port": port} if colon else {})})


def _endpoint(said: Mapping[str, Any]) -> str:
    user = f"{said['user']}@" if "user" in said else ""
    port = said.get("port", _DEFAULT_PORT)
    return f"ssh://{user}{said['hostname']}" + (f":{port}" if port != _DEFAULT_PORT else "")


def block(kind: TargetType, endpoint: str, key: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A target as a catalogue says it; `key`: that of its type's options."""
    return {"type": kind.value, "endpoint": endpoint, **({key: dict(options)} if options else {})}


def discovery(said: Iterable[Said]) -> Discovery:
    """What was found, under names of ours."""
    found: dict[str, Found] = {}
    passed: dict[str, str] = {}
    for theirs, made, why_not in said:
        name = name_from(theirs)
        if why_not or not made["endpoint"]:
            passed[theirs] = why_not or "it leads nowhere"
        elif name is None or name in found:
            passed[theirs] = "its name is none of ours, or another has the same"
        else:
            found[name] = Found(name, made, _unfit(made))
    return Discovery(tuple(found.values()), passed)


def _unfit(made: Mapping[str, Any]) -> tuple[str, ...]:
    """What the catalogue's own rules say of it."""
    kind = KINDS[TargetType(made["type"])]
    flaws: list[Flaw] = []
    kind.options(Block(made.get(kind.key), "", flaws))
    endpoint = made["endpoint"]
    wrong = () if kind.endpoint.fullmatch(endpoint) else (f"{endpoint} is no endpoint such as {kind.example}",)
    return (*wrong, *(flaw.detail for flaw in flaws))
