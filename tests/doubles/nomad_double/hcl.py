"""So much of HCL's job language as the tests write: blocks, attributes, strings, numbers, lists, maps. Nothing is evaluated."""

import re
from typing import Any

from tests.doubles.nomad_double.canonical import SECOND

Json = dict[str, Any]
_TOKEN = re.compile(
    r'(?P<space>[ \t\r]+|#[^\n]*|//[^\n]*)|(?P<line>\n)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<word>[A-Za-z_][\w-]*)'
    r"|(?P<mark>[{}\[\]=,:])"
)
_DURATIONS = {
    "interval",
    "timeout",
    "kill_timeout",
    "min_healthy_time",
    "healthy_deadline",
    "progress_deadline",
    "delay",
}
_NAMES = {"cpu": "CPU", "memory": "MemoryMB", "to": "To", "static": "Value", "port": "PortLabel"}
_JOB = (
    "Affinities AllAtOnce Constraints ConsulNamespace CreateIndex Datacenters DispatchIdempotencyToken JobModifyIndex Meta Migrate "
    "ModifyIndex Multiregion Namespace NodePool NomadTokenID ParameterizedJob ParentID Payload Periodic Priority Region Reschedule "
    "Spreads Stable Status "
    "StatusDescription Stop SubmitTime TaskGroups Type UI Update VaultNamespace Version VersionTag"
)
_GROUP = (
    "Affinities Constraints Consul Count Disconnect EphemeralDisk MaxClientDisconnect MaxRunDuration Meta Migrate Networks PreventRescheduleOnLost "
    "ReschedulePolicy RestartPolicy Scaling Services ShutdownDelay Spreads StopAfterClientDisconnect Tasks Update Volumes"
)
_TASK = (
    "Actions Affinities Artifacts Config Constraints Consul DispatchPayload Driver Env Identities Identity KillTimeout Lifecycle "
    "LogConfig Meta Resources RestartPolicy ScalingPolicies Schedule Secrets Services Templates Vault VolumeMounts"
)


class Unreadable(Exception):
    """Where and why, as the server says it."""


def job(text: str) -> Json:
    """A job as /v1/jobs/parse answers it: every field there, null where nothing was said."""
    body = _Reader(text).body(top=True)
    named = [block for block in body if block[0] == "job"]
    if not named:
        raise Unreadable("'job' block not found")
    _, labels, inner = named[0]
    said = {"ID": labels[0], "Name": labels[0], "Dispatched": False, **_fields(inner)}
    groups = [_group(labels[0], found) for name, labels, found in inner if name == "group"]
    return {**dict.fromkeys(_JOB.split()), **said, "TaskGroups": groups or None}


def _group(name: str, inner: list[Any]) -> Json:
    tasks = [_task(labels[0], found) for kind, labels, found in inner if kind == "task"]
    networks = [_network(found) for kind, _, found in inner if kind == "network"]
    services = [_service(found) for kind, _, found in inner if kind == "service"]
    lists = {"Tasks": tasks, "Networks": networks or None, "Services": services or None}
    return {**dict.fromkeys(_GROUP.split()), "Name": name, **_fields(inner), **lists}


def _task(name: str, inner: list[Any]) -> Json:
    config = next((_plain(found) for kind, _, found in inner if kind == "config"), None)
    env = next((_plain(found) for kind, _, found in inner if kind == "env"), None)
    plain = {"KillSignal": "", "Kind": "", "Leader": False, "ShutdownDelay": 0, "User": ""}
    return {**dict.fromkeys(_TASK.split()), **plain, "Name": name, **_fields(inner), "Config": config, "Env": env}


def _network(inner: list[Any]) -> Json:
    ports = [{"Label": labels[0], **_fields(found)} for kind, labels, found in inner if kind == "port"]
    return {"ReservedPorts": [p for p in ports if "Value" in p], "DynamicPorts": [p for p in ports if "Value" not in p]}


def _service(inner: list[Any]) -> Json:
    return {**_fields(inner), "Checks": [_fields(found) for kind, _, found in inner if kind == "check"]}


_SINGLE = {
    "update": "Update",
    "resources": "Resources",
    "restart": "RestartPolicy",
    "reschedule": "ReschedulePolicy",
    "meta": "Meta",
}


def _fields(inner: list[Any]) -> Json:
    said: Json = {}
    for kind, labels, found in inner:
        if labels is None:
            value = _nanoseconds(found) if kind in _DURATIONS else found
            said[_NAMES.get(kind) or "".join(part.capitalize() for part in kind.split("_"))] = value
        elif kind in _SINGLE:
            said[_SINGLE[kind]] = _plain(found) if kind == "meta" else _fields(found)
    return said


def _plain(inner: list[Any]) -> Json:
    return {kind: found for kind, labels, found in inner if labels is None}


def _nanoseconds(text: str) -> int:
    return int(
        sum(
            float(n) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[u] for n, u in re.findall(r"([0-9.]+)(ms|s|m|h)", text)
        )
        * SECOND
    )


class _Reader:
    """Entries are (name, None, value) for an attribute and (name, labels, entries) for a block."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if not match:
                raise Unreadable(f"{text.count(chr(10), 0, at) + 1}: Invalid character")
            if match.lastgroup != "space":
                self._tokens.append((match.lastgroup or "", match[0], at))
            at = match.end()
        self._text, self._at = text, 0

    def body(self, *, top: bool = False, opened: int = 0) -> list[Any]:
        found = []
        while True:
            self._skip()
            kind, text, _ = self._peek()
            if kind == "" and top:
                return found
            if kind == "":
                raise Unreadable(
                    f"{_place(self._text, opened)}: Unclosed configuration block; There is no closing brace for this block "
                    "before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file."
                )
            self._at += 1
            if text == "}" and not top:
                return found
            found.append(self._entry(text.strip('"')))

    def _entry(self, name: str) -> tuple[str, list[str] | None, Any]:
        labels = []
        while True:
            kind, text, at = self._peek()
            self._at += 1
            if text == "=":
                return name, None, self._value()
            if text == "{":
                return name, labels, self.body(opened=at)
            if kind not in {"text", "word"}:
                raise Unreadable(f"{_place(self._text, at)}: Argument or block definition required")
            labels.append(text.strip('"'))

    def _value(self) -> Any:
        self._skip_in_lists = True
        kind, text, _ = self._peek()
        self._at += 1
        if kind == "text":
            return text[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if text in {"true", "false"}:
            return text == "true"
        return self._list() if text == "[" else self._map()

    def _list(self) -> list[Any]:
        found = []
        while True:
            self._skip()
            if self._peek()[1] == "]":
                self._at += 1
                return found
            if self._peek()[1] == ",":
                self._at += 1
                continue
            found.append(self._value())

    def _map(self) -> Json:
        return {name: value for name, labels, value in self.body() if labels is None}

    def _skip(self) -> None:
        while self._peek()[0] == "line" or self._peek()[1] == ",":
            self._at += 1

    def _peek(self) -> tuple[str, str, int]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "", len(self._text))


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return f"{line},{column}-{column + 1}"
