"""From a component's specification to how its process is started: command, environment, ports, user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from agents.process_host.folder import TargetFolder
from agents.process_host.records import Errand, Part, RunSpec
from agents.process_host.trees import Tree
from agents.process_host.way import may_mount
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.fence import Claim

NOBODY: Final = 65534
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TEST: Final = shutil.which("test", path=DEFAULT_PATH) or "/usr/bin/test"


@dataclass(frozen=True, slots=True)
class User:
    """Whom applications run as; None is ourselves."""

    uid: int | None
    gid: int | None

    @classmethod
    def of_applications(cls, asked: int | None = None) -> User:
        """Whom applications run as on this machine: `asked`, or nobody, where we are root; else ourselves."""
        if os.geteuid() != 0:
            return cls(None, None)
        return cls.of(NOBODY if asked is None else asked)

    @classmethod
    def of(cls, uid: int | None) -> User:
        """The user and its own group."""
        if uid is None:
            return cls(None, None)
        try:
            return cls(uid, pwd.getpwuid(uid).pw_gid)
        except KeyError:
            return cls(uid, uid)

    def may_execute(self, program: str, cwd: Path) -> bool:
        """Asked of the kernel, as that user: links, closed folders on the way and access lists all count."""
        if not os.path.isfile(cwd / program):  # Path.is_file raises where a folder is closed to us
            return False
        return self._may_pass(program, cwd)

    def first_closed(self, tree: Path) -> str | None:
        """The outermost folder on the way to a tree that this user may not enter."""
        way = [*reversed(tree.parents), tree]
        if self._may_pass(str(tree), way[0]):
            return None
        return next((str(folder) for folder in way if not self._may_pass(str(folder), way[0])), None)

    def _may_pass(self, path: str, cwd: Path) -> bool:
        if self.uid is None:
            return os.access(cwd / path, os.X_OK)
        asked = subprocess.run(
            [_TEST, "-x", path], cwd=cwd, user=self.uid, group=self.gid, extra_groups=[], env={"PATH": DEFAULT_PATH},
            check=False,
        )  # fmt: skip
        return asked.returncode == 0


@dataclass(frozen=True, slots=True)
class Lookup:
    """How this host starts things. `path`: the folders searched for commands, in order."""

    user: User
    path: tuple[str, ...]

    def plan(self, folder: TargetFolder, part: Part, tree: Tree, claim: Claim) -> RunSpec:
        """How to start one component. Raises Refused (start_failed) where its command cannot be."""
        home = str(folder.component(part.component) / "home")
        return RunSpec(
            component=part.component,
            argv=self.argv(part.command or tree.command, tree.path, part.component),
            cwd=str(tree.path),
            home=home,
            env=_environment(part, home),
            ports=part.ports,
            stop_grace=part.stop_grace,
            labels={**part.labels, "fence": str(claim)},
            health=part.health,
            probe_port=part.probe_port,
            uid=self.user.uid,
            gid=self.user.gid,
            closed=self._closed(tree.path),
            secrets=part.secrets,
        )

    def errand(self, plan: RunSpec, errand: Errand, tree: Tree) -> RunSpec:
        """How to run a command once, where and as whom its component runs. Raises Refused (start_failed) as well."""
        argv = self.argv(errand.command, tree.path, errand.component)
        return replace(plan, argv=argv, ports=(), health=None, probe_port=0)

    def _closed(self, tree: Path) -> str | None:
        closed = self.user.first_closed(tree)
        if closed and not may_mount():
            detail = f"user {self.user.uid}, whom applications run as, may not enter {closed}, which this host lies in"
            raise Refused(
                Code.START_FAILED, detail, hint=f"keep the host's folder elsewhere, or open it: chmod o+x {closed}"
            )
        return closed

    def argv(self, command: tuple[str, ...], tree: Path, component: str) -> tuple[str, ...]:
        """The first word becomes a program: inside the tree, then on PATH, the first that the user may really execute."""
        if not command:
            raise Refused(Code.START_FAILED, f"{component} has no command, and its image has none either")
        for candidate in self._candidates(command[0]):
            if self.user.may_execute(candidate, tree):
                return (candidate, *command[1:])
        who = "we" if self.user.uid is None else f"user {self.user.uid}"
        raise Refused(Code.START_FAILED, f"{component}: there is no {command[0]!r} that {who} may execute")

    def _candidates(self, word: str) -> Iterator[str]:
        inside = PurePosixPath(word.lstrip("/"))
        if ".." not in inside.parts:
            yield f"./{inside}"
        if word.startswith("/"):
            yield word
        elif "/" not in word:
            yield from (f"{folder}/{word}" for folder in self.path)


def search_path(ours: str) -> tuple[str, ...]:
    """The worker's PATH, then the usual folders."""
    folders = [*ours.split(":"), *DEFAULT_PATH.split(":")]
    return tuple(dict.fromkeys(folder for folder in folders if folder.startswith("/")))


def host_ports(ports: Iterable[str]) -> tuple[int, ...]:
    """The host's side of `HOST:CONTAINER`."""
    return tuple(int(port.split(":")[-2 if ":" in port else 0]) for port in ports)


def _environment(part: Part, home: str) -> dict[str, str]:
    ours = {"PATH": DEFAULT_PATH, "HOME": home}
    return {**ours, **({"PORT": str(part.ports[0])} if part.ports else {}), **part.env}
