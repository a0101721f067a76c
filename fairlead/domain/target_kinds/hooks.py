"""What is run before the first change of a deployment, and after all is healthy: commands, one after the other, once in a deployment."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fairlead.domain.blocks import Block
from fairlead.domain.codes import Code
from fairlead.domain.durations import format_duration, parse_duration
from fairlead.domain.errors import Refused
from fairlead.domain.target_kinds.kind import Objection

SECTION: Final = "hooks"
PRE: Final = "pre"
POST: Final = "post"
TIMEOUT: Final = 60.0
KEPT_LINES: Final = 200
KEPT_LENGTH: Final = 16_000
"""So many lines and characters are kept of the end of what one printed."""

_DAY = 86_400.0
_IMAGE = re.compile(r"[a-z0-9\[][A-Za-z0-9.:\[\]_/-]*/[a-z0-9._/-]+@sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Hook:
    """One of them. `image`: by digest, empty for the component's own."""

    component: str
    when: str
    name: str
    command: tuple[str, ...]
    timeout: float
    image: str

    @property
    def id(self) -> str:
        """Once on a target."""
        return f"{self.component}.{self.when}.{self.name}"

    @property
    def log(self) -> str:
        """The name of the file with what it printed."""
        return f"{self.id}.hook.log"


def section(block: Block) -> dict[str, Any]:
    """`{pre: [...], post: [...]}`."""
    said = {when: [_hook(inner) for inner in block.list_of_blocks(when)] for when in (PRE, POST)}
    for when, hooks in said.items():
        names = [hook.get("name", "") for hook in hooks]
        for index, name in enumerate(names):
            if name and name in names[:index]:
                block.flaw(Code.BAD_VALUE, f"{name} stands here twice", when, index, "name")
    block.close()
    return {when: hooks for when, hooks in said.items() if hooks}


def _hook(block: Block) -> dict[str, Any]:
    seconds = block.duration("timeout", TIMEOUT, 1.0, _DAY)
    said: dict[str, Any] = {
        "name": block.name("name"),
        "command": list(block.words("command")),
        "timeout": format_duration(seconds) if seconds != TIMEOUT else "",
        "image": block.text("image"),
    }
    if not said["command"] or not said["command"][0]:
        block.flaw(Code.MISSING_FIELD, "a hook needs a command", "command")
    if said["image"] and not _IMAGE.fullmatch(said["image"]):
        block.flaw(Code.BAD_VALUE, f"{said['image']!r:.80} is not HOST/PATH@sha256:...", "image")
    block.close()
    return {key: value for key, value in said.items() if value}


def hooks_of(component: str, run: Mapping[str, Mapping[str, Any]] | None, when: str) -> list[Hook]:
    """Those of a component, in order, from its blocks in their normal form; also from flawed ones, where things may be missing."""
    return [
        Hook(
            component=component,
            when=when,
            name=said.get("name", ""),
            command=tuple(said.get("command", ())),
            timeout=parse_duration(said["timeout"]) if "timeout" in said else TIMEOUT,
            image=said.get("image", ""),
        )
        for said in (run or {}).get(SECTION, {}).get(when, ())
    ]


def failed(hook: Hook, what: str, log: str = "") -> Refused:
    """It did not end well. `log`: what it printed, masked."""
    fields = {"component": hook.component, "hook": hook.name, "when": hook.when, "log": log}
    return Refused(Code.HOOK_FAILED, f"{hook.component}: the {hook.when} hook {hook.name} {what}", fields=fields)


@contextmanager
def starting(hook: Hook) -> Iterator[None]:
    """While one is made and started: that it cannot be is its failure, and not its component's."""
    try:
        yield
    except Refused as refused:
        if refused.code != Code.START_FAILED:
            raise
        raise failed(hook, f"cannot be started: {refused.detail}") from refused


def without_containers(run: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> list[Objection]:
    """What cannot be run where there are none."""
    every = [hook for when in (PRE, POST) for hook in hooks_of("", run, when)]
    words = "has an image of its own, and there are no containers there"
    return [(Code.NOT_SUPPORTED_YET, f"the hook {hook.name} {words}") for hook in every if hook.image]
