"""Nomad jobs in the catalogue."""

import re
from collections.abc import Mapping
from typing import Any

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.durations import format_duration
from fairlead.domain.files import FIELD, PATH_RULE, is_path
from fairlead.domain.target_kinds import fields, hooks
from fairlead.domain.target_kinds.kind import TargetKind

SECTION = "nomad"
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_FILE = re.compile(r"/[^\x00]*")
_HOUR = 3600.0


def options(block: Block) -> dict[str, Any]:
    """The target's own: where the job is, who we are there, and how it rolls."""
    said = {
        **{key: fields.matching(block, key, _WORD, "a name") for key in ("namespace", "region", "job")},
        "token": fields.reference(block, "token"),
        **{
            key: fields.matching(block, key, _FILE, "the absolute path of a file")
            for key in ("ca", "certificate", "key")
        },
        "datacenters": list(block.words("datacenters")),
        **{
            key: block.count(key, 0, low, 1000)
            for key, low in (("count", 1), ("canaries", 0), ("max_parallel", 1))
            if block.has(key)
        },
    }
    seconds = block.duration("min_healthy_time", 0.0, 0.0, _HOUR)
    if seconds:
        said["min_healthy_time"] = format_duration(seconds)
    if ("certificate" in _filled(said)) != ("key" in _filled(said)):
        block.flaw(Code.MISSING_FIELD, "a client certificate and its key belong together", "certificate")
    block.close()
    return _filled(said)


def section(block: Block) -> dict[str, Any]:
    """How a component runs there: as a task that is rendered, or as one of the job in a file."""
    said: dict[str, Any] = {
        FIELD: block.text(FIELD),
        "task": fields.matching(block, "task", _WORD, "a name"),
        "ports": block.choice("ports", "static", ("static", "dynamic")),
        **{key: block.count(key, 0, 1, 10_000_000) for key in ("cpu", "memory") if block.has(key)},
    }
    if said[FIELD] and not is_path(said[FIELD]):
        block.flaw(Code.BAD_VALUE, f"{said[FIELD]!r:.80} is not {PATH_RULE}", FIELD)
    if said["ports"] == "static":
        del said["ports"]
    block.close()
    return _filled(said)


def check(block: Block, endpoint: str, options: Mapping[str, Any]) -> None:
    """A token is worth as much as who reads it; certificates mean nothing without TLS."""
    if endpoint.startswith("https:"):
        return
    if "token" in options and not fields.is_loopback(endpoint):
        block.flaw(Code.PLAINTEXT_REFUSED, "a token is not sent over a network in the clear: use https://", "endpoint")
    for key in filter(options.__contains__, ("ca", "certificate", "key")):
        block.flaw(Code.BAD_VALUE, f"`{key}` is for https:// endpoints", SECTION, key)


KIND = TargetKind(
    endpoint=re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?"),
    example="https://nomad.example.com:4646",
    key=SECTION,
    options=options,
    check=check,
    sections=(SECTION, hooks.SECTION),
)


def _filled(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value not in (None, "", [])}
