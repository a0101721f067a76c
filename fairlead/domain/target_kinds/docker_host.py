"""Docker hosts in the catalogue: an engine behind a unix socket, over TCP with certificates on both sides, or behind SSH."""

import re
from collections.abc import Mapping
from typing import Any, Final

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.target_kinds import docker_section, fields, hooks, ssh_host
from fairlead.domain.target_kinds.kind import TargetKind

LOCAL: Final = r"unix:///[^\s?#]+"
TLS: Final = "tls"
SSH: Final = "ssh"
FILES: Final = ("ca", "certificate", "key")

_TCP = r"tcp://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}"
_FILE = re.compile(r"/[^\x00-\x1f\x7f]*")


def options(block: Block) -> dict[str, Any]:
    """What an engine that is not on this machine's socket is reached with, and what holds for all there."""
    readers = {TLS: _tls, SSH: ssh_host.access}
    found: dict[str, Any] = {name: reader(block.block(name)) for name, reader in readers.items() if block.has(name)}
    found |= docker_section.engine_options(block)
    block.close()
    return found


def _tls(block: Block) -> dict[str, Any]:
    """The authority of the engine's certificate, and ours: files on the worker."""
    said = {name: block.text(name, required=True) for name in FILES}
    for name, path in said.items():
        if path and not _FILE.fullmatch(path):
            block.flaw(Code.BAD_VALUE, f"{path!r:.80} is not the absolute path of a file", name)
    block.close()
    return said


def check(block: Block, endpoint: str, options: Mapping[str, Any]) -> None:
    """Endpoint and options belong together; nothing goes over a network in the clear."""
    scheme = endpoint.partition(":")[0]
    for name, its in ((TLS, "tcp"), (SSH, "ssh")):
        if name in options and scheme != its:
            block.flaw(Code.BAD_VALUE, f"`{name}` is for {its}:// endpoints", "docker", name)
    if scheme == "ssh" and SSH not in options:
        block.flaw(Code.MISSING_FIELD, "an engine behind SSH needs `docker: {ssh: ...}` to log in with", "docker")
    if scheme == "tcp" and TLS not in options and not fields.is_loopback(endpoint):
        block.flaw(Code.PLAINTEXT_REFUSED, PLAINTEXT, "endpoint")


PLAINTEXT: Final = (
    "an engine is reached over plain TCP on loopback only; elsewhere `docker: {tls: {ca, certificate, key}}`"
)


KIND = TargetKind(
    endpoint=re.compile(rf"{LOCAL}|{_TCP}|{ssh_host.ENDPOINT.pattern}"),
    example="unix:///path/docker.sock, tcp://host:2376 or ssh://deploy@host",
    key="docker",
    options=options,
    check=check,
    objections=docker_section.objections,
    sections=(docker_section.SECTION, hooks.SECTION),
)
