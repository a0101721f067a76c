"""What our scripts promise, done on the model instead: one function for each script in agents/winrm_host/scripts, of the same name and parts.

Whoever changes a script changes its twin here. That the two answer alike is run where there is a PowerShell (tests/agents/test_winrm_twins.py).
"""

import hashlib
import http.client
import json
import shutil
import socket
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.doubles.winrm_double.common import Host, Json, Refusal, read, tail_of
from tests.doubles.winrm_double.hooks import hook
from tests.doubles.winrm_double.windows import Service, Windows, now


def run(windows: Windows, name: str, given: Mapping[str, Any]) -> str:
    """What a script answers."""
    host = Host(windows, given["Root"], given["Target"])
    told = {key: value for key, value in given.items() if key not in {"Root", "Target"}}
    try:
        return json.dumps({"done": SCRIPTS[name](host, **told)})
    except Refusal as refusal:
        return json.dumps(refusal.said)


def look(
    host: Host,
    Owner: str,
    Images: Sequence[str] = (),
    Programs: Sequence[str] = (),
    Ports: Sequence[int] = (),
    Closely: bool = False,
) -> Json:
    host.assert_owner(Owner)
    slots = host.slots(Closely)
    ours = {slot["run"]["pid"] for slot in slots.values() if slot["run"]}
    stickers = host.stickers()
    return {
        "platform": "windows/amd64",
        "powershell": host.windows.powershell,
        "claims": host.claims(),
        "slots": slots,
        "images": {
            i: read(host.root / "images" / f"{i}.json") for i in Images if (host.root / "releases" / i).is_dir()
        },
        "programs": {program: host.windows.path(program).is_file() for program in Programs},
        "taken": [port for port in Ports if host.windows.listeners(port) - ours],
        "sticker": stickers[-1].read_text() if stickers else None,
    }


def claim(host: Host, Owner: str, Claim: str) -> Json:
    for name in ("claims", "stickers", "components", "operations", "hooks"):
        (host.folder / name).mkdir(parents=True, exist_ok=True)
    with host.windows.lock(host.target):
        host.assert_owner(Owner)
        (host.folder / "owner.json").write_text(Owner)
        host.assert_highest(Claim)
        (host.folder / "claims" / Claim).write_text("")
    return {"slots": host.slots(), "hooks": [path.name for path in (host.folder / "hooks").iterdir()]}


def write(host: Host, Name: str, Offset: str = "0", Data: bytes | None = None) -> Json:
    path = host.root / "incoming" / Name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("r+b" if path.exists() else "w+b") as file:
        if Data is not None and file.seek(0, 2) >= int(Offset):
            if host.windows.free is not None and len(Data) > host.windows.free:
                raise Refusal("target_full", "There is not enough space on the disk.")
            file.seek(int(Offset))
            file.write(Data)
        return {"length": file.seek(0, 2)}


def unpack(host: Host, Name: str, Sha256: str, Image: str, Note: str) -> Json:
    packed, place = host.root / "incoming" / Name, host.root / "releases" / Image
    if not place.is_dir():
        if not packed.exists() or hashlib.sha256(packed.read_bytes()).hexdigest() != Sha256:
            packed.unlink(missing_ok=True)
            return {"matches": False}
        (host.root / "images").mkdir(exist_ok=True)
        (host.root / "images" / f"{Image}.json").write_text(Note)
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(place)
    packed.unlink(missing_ok=True)
    return {"matches": True}


def order(host: Host, Claim: str, Operation: str, Do: str, Component: str, **told: Any) -> Json:
    with host.once(Operation) as fresh:
        if fresh and Do == "undo":
            run = host.read_run(Component)
            if run and run["holder"] == Claim:
                _stop_mine(host, Component, told["Number"])
        elif fresh:
            host.assert_highest(Claim)
            ORDERS[Do](host, Claim, Component, told)
            host.assert_highest(Claim)
    return {"slots": host.slots()}


def _start(host: Host, claim: str, component: str, told: Json) -> None:
    for other in told["Instead"]:
        _stop_slot(host, other)
    _stop_slot(host, component)
    new = str(1 + int(read(host.folder / "runs") or 0))
    (host.folder / "runs").write_text(new)
    at = host.component(component)
    (at / "runs" / new / "logs").mkdir(parents=True)
    (at / "home").mkdir(exist_ok=True)
    (at / "runs" / new / "spec.json").write_text(told["Spec"])
    host.write_run(component, new, claim, now())
    there = "\\".join((host.root_there, host.target, "components", component))
    pairs = [f"FAIRLEAD_HOME={there}\\home", f"FAIRLEAD_LOGS={there}\\runs\\{new}\\logs"]
    pairs += [f"{name}={value}" for name, value in zip(told["Names"], told["Values"], strict=True)]
    service = Service(f"fairlead.{host.target}.{component}.{new}", told["Path"], told["Account"], environment=pairs)
    host.windows.create(host.target, service)
    host.windows.start(host.target, service)


def _stop_slot(host: Host, component: str) -> None:
    run = host.read_run(component)
    if run is None:
        return
    service = host.service(component, run["number"])
    if run["number"] != read(host.component(component) / "kept"):
        host.remove_run(component, run["number"])
    elif service:
        host.windows.stop(service)
    (host.component(component) / "run").unlink()


def _stop_mine(host: Host, component: str, number: str) -> None:
    run = host.read_run(component)
    if run and run["number"] == number:
        _stop_slot(host, component)


def _restore(host: Host, claim: str, component: str, told: Json) -> None:
    _stop_slot(host, component)
    kept = read(host.component(component) / "kept")
    if kept is not None:
        host.write_run(component, kept, claim, now())
        if service := host.service(component, kept):
            host.windows.start(host.target, service)


def _adopt(host: Host, claim: str, component: str, told: Json) -> None:
    run = host.read_run(component)
    if run is None or run["number"] != told["Number"]:
        raise Refusal("target_unreachable", f"{component} has changed meanwhile")
    host.write_run(component, run["number"], claim, run["created"])


def _confirm(host: Host, claim: str, component: str, told: Json) -> None:
    _adopt(host, claim, component, told)
    pointer = host.component(component) / "kept"
    kept = read(pointer)
    pointer.write_text(told["Number"])
    if kept is not None and kept != told["Number"]:
        host.remove_run(component, kept)
    if service := host.service(component, told["Number"]):
        service.start_mode, service.recovers = "Automatic", True


def _remove(host: Host, claim: str, component: str, told: Json) -> None:
    _stop_slot(host, component)
    kept = read(host.component(component) / "kept")
    if kept is not None:
        host.remove_run(component, kept)
    shutil.rmtree(host.component(component), ignore_errors=True)


ORDERS: dict[str, Callable[[Host, str, str, Json], None]] = {
    "start": _start,
    "stop": lambda host, claim, component, told: _stop_mine(host, component, told["Number"]),
    "restore": _restore,
    "adopt": _adopt,
    "confirm": _confirm,
    "remove": _remove,
}


def watch(host: Host, Component: str, Port: int = 0, Path: str = "", Timeout: int = 1000) -> Json:
    slots = host.slots()
    run = slots.get(Component, {}).get("run")
    answer = (_http if Path else _tcp)(Port, Path, Timeout / 1000) if Port else None
    served = bool(run and run["pid"] and run["pid"] in host.windows.listeners(Port)) if Port else False
    return {"slots": slots, "answer": answer, "served": served, "claims": host.claims(), "now": now()}


def _http(port: int, path: str, timeout: float) -> Json:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        return {"status": connection.getresponse().status}
    except (OSError, http.client.HTTPException) as error:
        return {"failed": str(error) or type(error).__name__}
    finally:
        connection.close()


def _tcp(port: int, path: str, timeout: float) -> Json:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout):
            return {"connected": True}
    except OSError:
        return {"failed": "refused"}


def tail(host: Host, Owner: str, Component: str, Lines: int, Most: int) -> Json:
    host.assert_owner(Owner)
    run = host.read_run(Component)
    if run is None:
        return {"text": ""}
    host.service(Component, run["number"])
    text = read(host.component(Component) / "runs" / run["number"] / "logs" / "app.log") or ""
    return {"text": tail_of(text, Lines, Most)}


def sticker(host: Host, Claim: str, Record: str) -> Json:
    (host.folder / "stickers").mkdir(parents=True, exist_ok=True)
    with host.windows.lock(host.target):
        host.assert_highest(Claim)
        (host.folder / "stickers" / Claim).write_text(Record)
        for lower in host.stickers()[:-1]:
            lower.unlink()
    return {"left": True}


def fit(host: Host) -> Json:
    free = shutil.disk_usage(host.root.parent).free if host.windows.free is None else host.windows.free
    versions = {"windows": "10.0.17763.0", "powershell": host.windows.powershell}
    return {**versions, "time": now(), "free": free, "administrator": True}


SCRIPTS: dict[str, Callable[..., Json]] = {
    "look": look, "claim": claim, "write": write, "unpack": unpack, "order": order, "watch": watch, "tail": tail, "sticker": sticker,
    "fit": fit, "hook": hook,
}  # fmt: skip
