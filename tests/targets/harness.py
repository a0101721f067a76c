"""What a target type brings to be put through the shared behaviour suite (design decision 8)."""

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fairlead.contracts.target import TargetAddress
from fairlead.domain.codes import Code
from fairlead.ports import Executor, FailPoints, Secrets


@dataclass(frozen=True, slots=True)
class Image:
    """An application in a repository. `platforms` is filled for an index."""

    repository: str
    digest: str
    platforms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the target itself has recorded since the harness' target was made."""

    created: int
    started: int


class Harness(Protocol):
    """One target type, real or in memory.

    The application of every image serves HTTP on container port 8080 (on a process host: on PORT) and answers `health_path` with 200; the
    last that it prints at its start is `listening`. Its
    environment tells it to misbehave: BROKEN=1 answers 500, SLOW=<seconds> listens only after so long, CRASH=1 prints `told to crash` and exits
    with 3 at once; TELL=<name> prints the variable of that name first of all.

    One whose components must say how they run on such targets has `dress(components)` too, which lets them. One on which a hand can have
    another image run in the place of what runs, and leave all else as it is, has `swap(address, image)`; one on which it can so change settings
    has `alter(address)`. One that brings images to the target
    itself has `without_store()`, a while in which no image can be had: where nodes pull what they start, nothing can be brought beforehand.
    One that can keep no deadline of a second has `shortest`; one that loses what ends too soon after it spoke has `lingering`, the shell's
    words for not doing so.
    """

    type: str
    health_path: str

    def endpoint(self, target: str) -> str:
        """Where the target of this name is; all names may share one engine or host."""

    def unreachable(self) -> str:
        """An endpoint where nobody answers."""

    def image(self, version: str) -> Image:
        """The application in this version; another version is another digest, the same version the same."""

    def index(self, version: str) -> Image:
        """The same behind an index that has a manifest for this machine's platform."""

    def altered(self) -> Image:
        """An image whose store serves other bytes than its digest says."""

    def lacking(self) -> Mapping[Code, Image]:
        """Images that cannot run there, which is known before any change, by what is told of them."""

    def executor(self, fail_points: FailPoints | None = None, secrets: Secrets | None = None) -> Executor:
        """A new executor on the same targets, as after a restart of the worker."""

    def given(self, address: TargetAddress, component: str, name: str) -> str | None:
        """The secret that the running application has under this name, by the word of its process."""

    def traces(self, address: TargetAddress) -> str:
        """All that the target keeps or shows of what is ours there, but for the one place where its secrets have to be."""

    def tally(self, address: TargetAddress) -> Tally:
        """Creates and starts by the target's own word (process hosts: both are processes begun)."""

    def occupy(self, port: int) -> contextlib.AbstractContextManager[object]:
        """Somebody else listens on this host port."""

    def halt(self, address: TargetAddress) -> None:
        """Stop what runs there by the platform's own means, as a hand would; nothing is removed."""

    def blur(self, address: TargetAddress) -> None:
        """Have something run under our name, by hand, of which nobody can tell what it is; at least not at the next look."""

    def clear(self, address: TargetAddress) -> None:
        """Take down everything on the target, whatever state it is in."""


NOWHERE = "sha256:" + "0" * 64
"""The digest of what nobody has."""


@contextlib.contextmanager
def aside(folder: Path):
    """An image layout that is away for a while."""
    away = folder.rename(folder.with_name("away"))
    try:
        yield
    finally:
        away.rename(folder)


@contextlib.contextmanager
def listener(port: int):
    """A socket of somebody else, for `occupy` on real hosts."""
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
