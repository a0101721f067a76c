"""Process hosts on this machine: supervised processes, one supervisor for each target."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agents.process_host.executor import Address, PlacedExecutor
from agents.process_host.lookup import Lookup, User, search_path
from agents.process_host.place import Place
from agents.process_host.site import Site
from fairlead.adapters.images import ImageStore
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable
from fairlead.ports import FailPoints, Secrets

SCHEME: Final = "process:"


class ProcessHost(PlacedExecutor):
    """`hosts` is the folder that `process:NAME` endpoints lie in; applications run as `app_user` when we are root (default: nobody)."""

    def __init__(
        self,
        hosts: Path,
        images: ImageStore,
        fail_points: FailPoints | None = None,
        app_user: int | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        super().__init__(images, self._at, fail_points, secrets)
        self._hosts = hosts.absolute()
        self._lookup = Lookup(User.of_applications(app_user), search_path(os.environ.get("PATH", "")))

    @contextmanager
    def _at(self, address: Address) -> Iterator[Place]:
        yield Site(self._host(address.endpoint), self._lookup)

    def _host(self, endpoint: str) -> Path:
        name = endpoint.removeprefix(SCHEME)
        if name.startswith("///"):
            host = Path(name.removeprefix("//"))
            if not host.is_dir():
                raise Unavailable(Code.TARGET_UNREACHABLE, f"there is no folder {host}")
            return host
        if not endpoint.startswith(SCHEME) or name in {"", ".", ".."} or "/" in name or "\0" in name:
            raise BadInput(Code.BAD_VALUE, f"{endpoint!r} is neither process:NAME nor process:///folder")
        return self._hosts / name
