"""Versions of a job that Nomad keeps: one as it can be registered anew, and whether what stands is still what was seen healthy."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from agents.nomad_job import marks
from agents.nomad_job.marks import Json
from fairlead.contracts.target import Sticker
from fairlead.domain.fence import Claim

_KEPT_BY_SERVER: Final = frozenset({
    "CreateIndex", "JobModifyIndex", "ModifyIndex", "Stable", "Status", "StatusDescription", "SubmitTime", "Version", "VersionTag",
})  # fmt: skip
_SAID_BY_WHO_REGISTERS: Final = frozenset({"ConsulToken", "NomadTokenID", "Stop", "VaultToken"})


def again(version: Json) -> Json:
    """A kept version as it can be registered anew; its meta stays, for another would replace every allocation."""
    return {key: value for key, value in version.items() if key not in _KEPT_BY_SERVER}


def marked(versions: Sequence[Json]) -> list[Json]:
    """Those with our mark, the newest first (as they come). Nomad copies a mark when somebody scales or stops the job: it is the oldest's."""
    by_mark = {marks.verified_by(version): version for version in versions}
    return [version for mark, version in by_mark.items() if mark]


def last_marked(versions: Sequence[Json]) -> Json | None:
    """The one with our highest mark."""
    return max(marked(versions), key=lambda v: marks.verified_by(v) or Claim(0, 0), default=None)


def altered(versions: Sequence[Json], sticker: Sticker | None) -> list[str]:
    """What somebody else has changed in the job since we saw it healthy; by its meta it is still that one.

    `versions`: the newest first. Where none has our mark, though the sticker says that the job was seen healthy, it was registered anew as a whole.
    """
    if not versions:
        return []
    seen, made_by = last_marked(versions), marks.claim_in(versions[0])
    if seen is None:
        return ["the whole job"] if sticker and made_by and made_by <= _claim(sticker) else []
    if seen.get("Meta") != versions[0].get("Meta"):
        # Another release, which says so itself.
        return []
    return list(_different(_said(seen), _said(versions[0]), ""))


def _claim(sticker: Sticker) -> Claim:
    try:
        return Claim.parse(sticker.fence)
    except ValueError:
        return Claim(0, 0)


def _said(version: Json) -> Json:
    """What its author says. How many there are is not his where the group says that somebody scales it."""
    said = {key: value for key, value in again(version).items() if key not in _SAID_BY_WHO_REGISTERS}
    return {**said, "TaskGroups": [_unscaled(group) for group in version["TaskGroups"]]}


def _unscaled(group: Json) -> Json:
    return {**group, "Count": None} if (group.get("Scaling") or {}).get("Enabled") else group


def _different(old: Any, new: Any, at: str) -> Iterator[str]:
    """The places of all that is not the same; never a value, for environments may hold what not everybody should read."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _different(old.get(key), new.get(key), f"{at}.{key}" if at else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _different(one, other, f"{at}.{_name(one, place)}")
    elif old != new:
        yield at


def _name(said: Any, place: int) -> str:
    return str(said.get("Name") or place) if isinstance(said, dict) else str(place)
