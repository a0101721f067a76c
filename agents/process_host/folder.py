"""What lies where on a process host. Claims and stickers are files that are made once and never edited.

<host>/releases/<hex>/                       unpacked trees, shared by all targets of this host
<host>/images/<hex>.json                     how the image of a tree is started
<host>/incoming/                             trees being unpacked, not yet verified
<host>/<project>-<environment>-<target>/     one target:
    owner.json, claims/<claim>, stickers/<claim>.json (or that it was handed over), state.json, journal.jsonl,
    supervisor.json, supervisor.log, supervisor.lock, control.sock,
    components/<component>/{current, home/, log, secrets/},
    errands/<number>.<errand>.{json, log}         what is run once: how it ended, and what it printed
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from agents.process_host.place import Owner
from agents.process_host.records import State, read_state, sync_folder, write_json
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict
from fairlead.domain.fence import Claim, require_highest

HANDED_OVER = {"handed_over": True}
"""Stands where the record of a target stood that was handed over."""


class TargetFolder:
    """One target's folder. Making this object touches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.releases = path.parent / "releases"
        self.claims = path / "claims"
        self.stickers = path / "stickers"
        self.state = path / "state.json"
        self.journal = path / "journal.jsonl"
        self.pidfile = path / "supervisor.json"
        self.lock = path / "supervisor.lock"
        self.supervisor_log = path / "supervisor.log"
        self.socket = path / "control.sock"
        self.components = path / "components"
        self.errands = path / "errands"

    def take(self, owner: Owner) -> None:
        """Make the folder, for this target only: `a-b` of `c` and `b-c` of `a` would share a name. Raises Conflict (foreign_workload)."""
        self.claims.mkdir(parents=True, exist_ok=True)
        self.stickers.mkdir(exist_ok=True)
        self.components.mkdir(exist_ok=True)
        mark = self.path / "owner.json"
        if not mark.exists():
            write_json(mark, dict(owner), 0o644)
        self.require_owner(owner)

    def require_owner(self, owner: Owner) -> None:
        """Raise Conflict (foreign_workload) if the folder is another target's."""
        mark = self.path / "owner.json"
        if mark.exists() and (found := json.loads(mark.read_text())) != owner:
            raise Conflict(Code.FOREIGN_WORKLOAD, f"{self.path.name} belongs to {' '.join(found.values())}")

    def claim(self, claim: Claim) -> None:
        """Leave a claim, durably. Raises FenceLost where a higher one lies."""
        require_highest(claim, self.list_claims())
        try:
            fd = os.open(self.claims / str(claim), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            pass  # the same task asks again
        else:
            os.fsync(fd)
            os.close(fd)
        sync_folder(self.claims)
        require_highest(claim, self.list_claims())

    def list_claims(self) -> list[Claim]:
        """All claims, lowest first."""
        return _numbered(self.claims, "")

    def read_state(self) -> State:
        """What the supervisor last wrote down."""
        return read_state(self.state)

    def sticker(self) -> object:
        """The record of the highest claim that left one; None where none did or it retired the target."""
        left = _numbered(self.stickers, ".json")
        return json.loads((self.stickers / f"{left[-1]}.json").read_text()) if left else None

    def leave_sticker(self, claim: Claim, record: object) -> None:
        """Leave a record (None: nothing runs here). One file per claim, so a late writer cannot cover a higher claim's."""
        require_highest(claim, self.list_claims())
        self.stickers.mkdir(parents=True, exist_ok=True)
        write_json(self.stickers / f"{claim}.json", record, 0o644)
        for lower in _numbered(self.stickers, ".json")[:-1]:
            (self.stickers / f"{lower}.json").unlink(missing_ok=True)
        require_highest(claim, self.list_claims())

    def is_handed_over(self) -> bool:
        """Whether what runs here is not ours any more; for good, as long as the folder is there."""
        return self.sticker() == HANDED_OVER

    def refuse_handed_over(self) -> None:
        """Raise Conflict (foreign_workload) where that is so."""
        if self.is_handed_over():
            raise Conflict(
                Code.FOREIGN_WORKLOAD,
                f"what runs in {self.path.name} was handed over, and is not ours any more",
                hint="end it, then remove its folder",
            )

    def component(self, name: str) -> Path:
        """A component's own folder."""
        return self.components / name

    def log(self, component: str) -> Path:
        """Where a component's output goes."""
        return self.component(component) / "log"


def _numbered(folder: Path, suffix: str) -> list[Claim]:
    names = os.listdir(folder) if folder.is_dir() else []
    pattern = re.compile(r"(\d+\.\d+)" + re.escape(suffix))
    return sorted(Claim.parse(match[1]) for name in names if (match := pattern.fullmatch(name)))
