"""Whether a target is fit to be deployed to: what the facts mean that it tells of itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fairlead.domain.grades import Finding, bad, doubtful, good

SKEW: Final = timedelta(seconds=30)
"""Clocks further apart make times in evidence hard to read, and certificates fail."""
ROOM: Final = 1024**3
LEAST_ROOM: Final = 100 * 1024**2
_TOLD_NOT: Final = "such targets do not tell"
_LATE: Final = "after a restart of the machine, what ran comes back only when we next look"
RESTARTS: Final[Mapping[str, Finding]] = {
    "unit": good("restart", "a unit of systemd brings back what runs"),
    "not_lingering": doubtful(
        "restart", f"our user does not linger there: {_LATE}", "have root run `loginctl enable-linger` for that user"
    ),
    "no_manager": doubtful(
        "restart", f"our user lingers, but systemd does not run for him: {_LATE}", "install libpam-systemd there"
    ),
}


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What a target tells of itself; None where it does not.

    `free`: bytes where our things lie (`folder`); `writable`: whether we may write there; `capabilities`: what can be done there;
    `restart`: what brings back what runs when the machine is restarted, one of RESTARTS.
    """

    version: str | None = None
    time: datetime | None = None
    free: int | None = None
    writable: bool | None = None
    folder: str | None = None
    capabilities: tuple[str, ...] = ()
    restart: str | None = None


def judge(facts: TargetFacts, earliest: datetime, latest: datetime) -> tuple[Finding, ...]:
    """What facts mean that were told between two instants of ours."""
    return (
        good("connects", "it answers, and lets us in"),
        good("version", facts.version or _TOLD_NOT),
        *_clock(facts, earliest, latest),
        *_room(facts),
        *_rights(facts),
        *([RESTARTS[facts.restart]] if facts.restart else []),
        *([good("capabilities", ", ".join(facts.capabilities))] if facts.capabilities else []),
    )


def _clock(facts: TargetFacts, earliest: datetime, latest: datetime) -> Iterator[Finding]:
    if facts.time is None:
        return
    apart = max(earliest - facts.time, facts.time - latest, timedelta())
    if apart > SKEW:
        yield bad("clock", f"it is {apart.total_seconds():.0f} s from ours", "set both by NTP")
    else:
        yield good("clock", "as ours")


def _room(facts: TargetFacts) -> Iterator[Finding]:
    if facts.free is None:
        return
    where = f"{facts.free // 1024**2} MiB are free at {facts.folder}"
    if facts.free < LEAST_ROOM:
        yield bad("disk", where, "make room before anything is deployed")
    elif facts.free < ROOM:
        yield doubtful("disk", where, "make room")
    else:
        yield good("disk", where)


def _rights(facts: TargetFacts) -> Iterator[Finding]:
    if facts.writable is False:
        yield bad("rights", f"we may not write to {facts.folder}", "give the folder to the user that we are there")
    elif facts.writable:
        yield good("rights", f"we may write to {facts.folder}")
