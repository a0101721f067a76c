"""Nomad's own answer to a plan, as lines for people: pure rules on its Diff, Annotations and FailedTGAllocs.

A value is shown only where its field is known to hold nothing secret: environments, templates and options of drivers may.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agents.nomad_job import judging
from agents.nomad_job.document import SECOND
from agents.nomad_job.marks import RELEASE
from fairlead.domain.forecast import Forecast, change

_WHOLE: Final = {"Added": "is new", "Deleted": "goes", "Edited": "changes", "None": "stays as it is"}
_TIMES: Final = {
    "Delay", "HealthyDeadline", "Interval", "KillTimeout", "MaxDelay", "MinHealthyTime", "ProgressDeadline", "ShutdownDelay", "Timeout",
}  # fmt: skip
_SHOWN: Final = _TIMES | {
    "AutoPromote", "AutoRevert", "CPU", "Canary", "Cores", "Count", "Datacenters", "DiskMB", "Driver", "HealthCheck", "Label", "MaxParallel",
    "MemoryMB", "MemoryMaxMB", "Namespace", "NodePool", "PortLabel", "Priority", "Provider", "Region", "SizeMB", "Stop", "To", "Type", "image",
}  # fmt: skip
_OF_NEW: Final = {"Count", "image"}
"""Of what is new all that is worth telling: the rest would be every field that there is."""
_OURS: Final = "Meta[fairlead."
_RELEASE: Final = f"Meta[{RELEASE}]"
_COUNTS: Final = {
    "Place": "create", "DestructiveUpdate": "create/destroy update", "InPlaceUpdate": "in-place update", "Canary": "canary", "Migrate": "migrate",
    "Stop": "destroy", "Ignore": "ignore",
}  # fmt: skip

Said = Mapping[str, Any]


def told(job: str, said: Said) -> Forecast:
    """What Nomad says that registering a job would do."""
    failed = said.get("FailedTGAllocs")
    return Forecast(tuple(_lines(job, said)), judging.unplaced(failed) if failed else None)


def _lines(job: str, said: Said) -> Iterator[str]:
    diff, notes = said.get("Diff") or {}, said.get("Annotations") or {}
    yield f"job {job} {_whole(diff)}"
    yield from _changes(diff, "", is_new=diff.get("Type") == "Added")
    counts = notes.get("DesiredTGUpdates") or {}
    for group in diff.get("TaskGroups") or []:
        yield from _of_group(group, counts.get(group["Name"]) or {})
    others = len(notes.get("PreemptedAllocs") or [])
    if others:
        yield f"allocations of other jobs that would have to make room: {others}"
    for line in str(said.get("Warnings") or "").splitlines()[1:]:
        if line.strip():
            yield f"Nomad warns: {line.strip(' *')}"


def _of_group(group: Said, counts: Said) -> Iterator[str]:
    """What is done at first comes first: with several instances Nomad goes on from there."""
    name, is_new = group["Name"], group.get("Type") == "Added"
    updates = group.get("Updates") or {words: counts[key] for key, words in _COUNTS.items() if counts.get(key)}
    first = ", ".join(f"{count} {words}" for words, count in sorted(updates.items()))
    yield (
        f"group {name}, first: {first}"
        if first and not is_new
        else f"group {name} {_whole(group)}{first and ': '}{first}"
    )
    yield from _changes(group, name, is_new=is_new)
    for task in group.get("Tasks") or []:
        if task.get("Type") != "None":
            yield f"task {name}.{task['Name']} {_whole(task)}"
            yield from _changes(task, f"{name}.{task['Name']}", is_new=is_new or task.get("Type") == "Added")


def _changes(said: Said, path: str, *, is_new: bool) -> Iterator[str]:
    """Every field of this and of the objects in it that is not as it was."""
    for field in said.get("Fields") or []:
        name = field["Name"]
        if field.get("Type") == "None" or (is_new and name not in _OF_NEW) or _is_claim(name):
            continue
        old, new = (_value(name, field.get(key)) for key in ("Old", "New"))
        shows = name in _SHOWN or name == _RELEASE or (name == "Value" and path.endswith("Port"))
        yield change(_below(path, name), old, new, shows=shows)
    for inner in said.get("Objects") or []:
        if inner.get("Type") != "None":
            yield from _changes(inner, _below(path, inner["Name"]), is_new=is_new)


def _is_claim(name: str) -> bool:
    """What we write there of whoever asks: it is another each time, and told as the release."""
    return name.startswith(_OURS) and name != _RELEASE


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _value(name: str, value: Any) -> Any:
    return f"{int(value) / SECOND:g}s" if name in _TIMES and str(value).isdigit() else value


def _whole(said: Said) -> str:
    return _WHOLE.get(str(said.get("Type")), "may change")
