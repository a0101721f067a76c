"""What of a component's `docker` block stands in the engine's own documents, and what of it cannot be had."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from agents.docker_host import labels
from agents.docker_host.engine import Engine
from agents.docker_host.labels import Address
from fairlead.contracts.release import RenderedConfig
from fairlead.contracts.target import ComponentSpec, TargetSpec
from fairlead.domain.codes import Code
from fairlead.domain.durations import parse_duration
from fairlead.domain.errors import Refused
from fairlead.domain.nearest import did_you_mean
from fairlead.domain.target_kinds.docker_section import (
    MIGRATION,
    OWN,
    SECTION,
    STOP_FIRST,
    bytes_of,
    is_one_shot,
    objections,
)


@dataclass(frozen=True, slots=True)
class Seat:
    """One container that there is to be: a component, and which of several."""

    component: ComponentSpec
    replica: int = 1

    @property
    def slot(self) -> tuple[str, int]:
        """As Box.slot."""
        return self.component.name, self.replica

    @property
    def block(self) -> Mapping[str, Any]:
        """What the component says of its container."""
        return block_of(self.component.config)

    @property
    def beside(self) -> str | None:
        """The component whose network it has."""
        return self.block.get("beside")

    @property
    def runs_once(self) -> bool:
        """Whether it is to end before anything else is changed."""
        return is_one_shot(self.block)


def block_of(config: RenderedConfig) -> Mapping[str, Any]:
    """The `docker` block, empty where there is none."""
    return (config.run or {}).get(SECTION, {})


def seats(spec: TargetSpec) -> list[Seat]:
    """All of a target, in start order, those that run once first, and sidecars last."""
    every = [Seat(c, n) for c in spec.components for n in range(1, block_of(c.config).get("replicas", 1) + 1)]
    return sorted(every, key=lambda seat: (not seat.runs_once, seat.beside is not None))


def labels_of(spec: TargetSpec, seat: Seat) -> dict[str, str]:
    """What its container carries beside what all do."""
    role, of = seat.block.get("role"), seat.block.get("replicas", 1)
    unrun = spec.is_rollback and role == MIGRATION
    return {
        **({labels.REPLICA: f"{seat.replica}/{of}"} if of > 1 else {}),
        **({labels.ROLE: role} if role else {}),
        **({labels.UNRUN: "a rollback runs no migrations"} if unrun else {}),
    }


def refuse_unsafe(spec: TargetSpec) -> None:
    """Raise Refused (container_unsafe) for what the target does not allow: the last layers come after the catalogue was checked."""
    for component in spec.components:
        for code, words in objections(component.config.run or {}, spec.options):
            raise Refused(code, f"{component.name}: {words}", fields={"component": component.name})


def refuse_lacking(engine: Engine, spec: TargetSpec, component: ComponentSpec) -> None:
    """Raise Refused (network_missing, log_driver_missing) where a network that is not ours to make, or a log driver, is not there."""
    _refuse_driver(engine, component)
    for name, own in networks(spec, block_of(component.config)).items():
        if not own and not engine.network(name):
            raise Refused(
                Code.NETWORK_MISSING,
                f"{component.name} wants the network {name}, which is not there",
                fields={"component": component.name, "network": name},
            )


def _refuse_driver(engine: Engine, component: ComponentSpec) -> None:
    wanted = block_of(component.config).get("log", {}).get("driver", "none")
    if wanted != "none" and (known := _drivers(engine)) and wanted not in known:
        raise Refused(
            Code.LOG_DRIVER_MISSING,
            f"{component.name} wants the log driver {wanted}, which the engine has not{did_you_mean(wanted, known)}",
            fields={"component": component.name, "driver": wanted},
        )


def _drivers(engine: Engine) -> set[str]:
    """Those that the engine has; a plugin's by its name with and without its tag."""
    listed = (engine.info().get("Plugins") or {}).get("Log") or []
    return {name for driver in listed for name in (driver, driver.removesuffix(":latest"))}


def bears_two(block: Mapping[str, Any]) -> bool:
    """Whether two of it may run at a time: never on the same files, and not where the catalogue says so."""
    writes = any(not volume.endswith(":ro") for volume in block.get("volumes", ()))
    return block.get("order") != STOP_FIRST and not writes


def limit_of(block: Mapping[str, Any], usual: float) -> float:
    """How long something that runs once may take."""
    return parse_duration(block["timeout"]) if "timeout" in block else usual


def networks(address: Address, block: Mapping[str, Any]) -> dict[str, bool]:
    """The names of its networks on the engine, and whether each is the target's own."""
    stem = labels.stem(address)
    return {f"{stem}-{n}" if kind == OWN else n: kind == OWN for n, kind in sorted(block.get("networks", {}).items())}


def host_config(address: Address, block: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in HostConfig, but for ports and networks."""
    said: dict[str, Any] = {
        "RestartPolicy": _restart("no" if is_one_shot(block) else block.get("restart", "unless-stopped")),
        "NanoCpus": int(Decimal(block.get("cpus", "0")) * 10**9),
        "Memory": bytes_of(block["memory"]) if "memory" in block else 0,
        "PidsLimit": block.get("pids"),
        "ReadonlyRootfs": block.get("read_only"),
        "SecurityOpt": ["no-new-privileges"] if block.get("no_new_privileges") else [],
        "CapAdd": block.get("cap_add"),
        "CapDrop": block.get("cap_drop"),
        "ExtraHosts": [f"{name}:{where}" for name, where in sorted(block.get("extra_hosts", {}).items())],
        "Ulimits": [_ulimit(name, limit) for name, limit in sorted(block.get("ulimits", {}).items())],
        "Mounts": [_mount(address, volume) for volume in block.get("volumes", ())],
        "Tmpfs": dict.fromkeys(block.get("tmpfs", ()), ""),
        "LogConfig": _log(block["log"]) if "log" in block else {},
    }
    return {key: value for key, value in said.items() if value}


def _restart(text: str) -> dict[str, Any]:
    name, _, most = text.partition(":")
    return {"Name": name, **({"MaximumRetryCount": int(most)} if most else {})}


def _ulimit(name: str, limit: str) -> dict[str, Any]:
    soft, hard = limit.split(":")
    return {"Name": name, "Soft": int(soft), "Hard": int(hard)}


def _mount(address: Address, volume: str) -> dict[str, Any]:
    source, target, *read_only = volume.split(":")
    mount: dict[str, Any] = {"Source": source, "Target": target, "ReadOnly": bool(read_only)}
    if source.startswith("/"):
        return {**mount, "Type": "bind"}
    named = {"Type": "volume", "Source": f"{labels.stem(address)}-{source}"}
    return {**mount, **named, "VolumeOptions": {"Labels": labels.of_data(address)}}


def _log(log: Mapping[str, Any]) -> dict[str, Any]:
    return {"Type": log["driver"], "Config": dict(log.get("options", {}))}
