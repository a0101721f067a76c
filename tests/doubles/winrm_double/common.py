"""What scripts/common.ps1 promises, on the model."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairlead.domain.fence import Claim
from tests.doubles.winrm_double.windows import Service, Windows

Json = dict[str, Any]


class Refusal(Exception):
    """A script refuses."""

    def __init__(self, code: str, detail: str, fields: Json | None = None) -> None:
        self.said = {"code": code, "detail": detail, "fields": fields or {}}


class Host:
    """One target's folder on a machine, and the services of its components."""

    def __init__(self, windows: Windows, root: str, target: str) -> None:
        self.windows, self.target, self.root_there = windows, target, root
        self.root = windows.path(root)
        self.folder = self.root / target

    def claims(self) -> list[str]:
        return [path.name for path in self._files("claims")]

    def stickers(self) -> list[Path]:
        return sorted(self._files("stickers"), key=lambda path: Claim.parse(path.name))

    def assert_highest(self, mine: str) -> None:
        for other in self.claims():
            if Claim.parse(other) > Claim.parse(mine):
                raise Refusal("fence_lost", f"claim {mine} gave way to {other}", {"claim": mine, "highest": other})

    def assert_owner(self, owner: str) -> None:
        found = read(self.folder / "owner.json")
        if found is not None and found != owner:
            raise Refusal("foreign_workload", f"{self.target} belongs to {found}")

    @contextmanager
    def once(self, id: str) -> Iterator[bool]:
        done = self.folder / "operations" / id
        with self.windows.lock(self.target):
            fresh = not done.exists()
            yield fresh
            if fresh:
                done.write_text("")

    def component(self, name: str) -> Path:
        return self.folder / "components" / name

    def service(self, component: str, number: str) -> Service | None:
        found = self.windows.services.get(f"fairlead.{self.target}.{component}.{number}")
        if found:
            self.windows.live(found)
        return found

    def remove_run(self, component: str, number: str) -> None:
        if service := self.service(component, number):
            self.windows.delete(service)
        shutil.rmtree(self.component(component) / "runs" / number, ignore_errors=True)

    def read_run(self, component: str) -> Json | None:
        text = read(self.component(component) / "run")
        if text is None:
            return None
        number, holder, created = text.split(" ")
        return {"number": number, "holder": holder, "created": int(created)}

    def write_run(self, component: str, number: str, holder: str, created: int) -> None:
        (self.component(component) / "run").write_text(f"{number} {holder} {created}")

    def slots(self, closely: bool = False) -> Json:
        folders = self.folder / "components"
        names = sorted(path.name for path in folders.iterdir()) if folders.is_dir() else []
        return {name: self._slot(name, closely) for name in names}

    def _slot(self, component: str, closely: bool) -> Json:
        at, run = self.component(component), self.read_run(component)
        kept = read(at / "kept")
        numbers = {number for number in (kept, run and run["number"]) if number}
        if run is not None:
            run |= {"pid": 0, "started": None, "exit": None, "exits": 0, "state": "Missing"}
            if service := self.service(component, run["number"]):
                run["state"] = "Running" if service.pid else "Stopped"
                run |= {"pid": service.pid, "started": service.started, "exit": service.exit}
                run["exits"] = service.exits if closely else 0
        return {"run": run, "kept": kept, "specs": {n: read(at / "runs" / n / "spec.json") for n in numbers}}

    def _files(self, name: str) -> list[Path]:
        return [*(self.folder / name).iterdir()] if (self.folder / name).is_dir() else []


def tail_of(text: str, lines: int, most: int) -> str:
    said = text[-most:].rstrip().split("\n")[1 if len(text) > most else 0 :]
    return "\n".join(said[-lines:])


def read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
