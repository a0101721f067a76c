"""The Docker Engine API as far as we need it: one connection, values instead of dictionaries, errors mapped once."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import docker
from docker import errors

from agents.cutting import READ, end_of
from agents.docker_host import box
from agents.docker_host.archive import archive
from agents.docker_host.box import Box
from agents.docker_host.engine_errors import Vanished, is_failure, is_full, mapped
from agents.docker_host.neighbourhood import Here, Neighbourhood
from agents.docker_host.patience import patiently
from agents.probe import Check, Probe, probe
from fairlead.adapters.platforms import platform_of
from fairlead.adapters.registry_access import Login
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused, Unavailable
from fairlead.ports import Beat

TIMEOUT = 30
_TAIL_LINES = 20


class Engine:
    """One engine. Everything is addressed by id; the only names are those of new things."""

    def __init__(self, api: docker.APIClient, host: Neighbourhood | None = None) -> None:
        self._api, self.host = api, host or Here()
        self._epoch: float | None = None

    def probe(self, check: Check, host: str, port: int) -> Probe:
        """Ask once, as from the engine's machine."""
        return probe(check, host, port, self.host.dial)

    # containers

    def boxes(self, labels: Mapping[str, str]) -> list[Box]:
        """All containers that carry these labels, whatever state they are in, in the order they were made."""
        found = [self._inspect(entry["Id"]) for entry in self.listing(labels)]
        return sorted((b for b in found if b is not None), key=lambda b: (str(b.created), b.id))

    def listing(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """The engine's short list of them."""
        with self._mapped():
            listed: list[dict[str, Any]] = self._api.containers(all=True, filters=_with(labels))
            return listed

    def inspect(self, id: str) -> Box:
        """A container as it is now. Raises Vanished."""
        with self._mapped():
            found = box.read(self._api.inspect_container(id))
        if found.beside:
            main = self._inspect(found.beside)
            found = box.joined(found, main) if main else found
        found = replace(found, clock=self.clock)
        return found if self.host.sees_inside else replace(found, address=None)

    def named(self, name: str) -> Box | None:
        """The container of this name, whoever made it."""
        return self._inspect(name)

    def create(self, name: str, body: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        """Make a container; answer its id. Raises Refused (start_failed) when the engine will not have it."""
        with self._mapped(refused=Code.START_FAILED):
            made = self._api.create_container(name=name, host_config=dict(host), use_config_proxy=False, **body)
            return str(made["Id"])

    def put_files(self, id: str, files: Mapping[str, str]) -> None:
        """Write files into a container, absolute path to content; everybody inside may read them."""
        with self._mapped(refused=Code.START_FAILED):
            self._api.put_archive(id, "/", archive(files))

    def start(self, id: str) -> None:
        """Start it. Raises Refused (start_failed) with the engine's reason."""
        with self._mapped(refused=Code.START_FAILED):
            self._api.start(id)

    def stop(self, id: str, grace: float, beat: Beat) -> None:
        """Ask it to end, and make it end after `grace` seconds."""
        with self._mapped():
            patiently(lambda: self._api.stop(id, timeout=max(1, round(grace))), beat)

    def start_no_more(self, id: str) -> None:
        """Let it stay as it is once it ends."""
        with self._mapped(), contextlib.suppress(errors.APIError):
            never: Any = {"Name": "no"}
            self._api.update_container(id, restart_policy=never)

    def rename(self, id: str, name: str) -> None:
        with self._mapped():
            self._api.rename(id, name)

    def remove(self, id: str) -> None:
        """Remove it, running or not; one that is gone already is fine."""
        with self._mapped(), contextlib.suppress(errors.NotFound):
            self._api.remove_container(id, force=True, v=True)

    def last_words(self, id: str, lines: int = _TAIL_LINES, most: int = READ) -> str:
        """The end of what it printed, at most so many whole lines and characters; empty where the engine does not keep that."""
        with self._mapped():
            try:
                printed: bytes = self._api.logs(id, tail=lines)
            except errors.APIError:
                return ""
        return end_of(printed.decode(errors="replace").strip(), most)

    def info(self) -> dict[str, Any]:
        """What the engine tells of itself, with the version of its API as `ApiVersion`."""
        with self._mapped():
            told: dict[str, Any] = self._api.info()
            return {**told, "ApiVersion": self._api.version(api_version=False)["ApiVersion"]}

    def clock(self) -> float:
        """What time it is there, in seconds since the epoch: asked for once. Ours may be another."""
        if self._epoch is None:
            there = box.read_local_time(str(self.info().get("SystemTime", "")))
            self._epoch = (there.timestamp() if there else time.time()) - time.monotonic()
        return self._epoch + time.monotonic()

    def platform(self) -> str:
        """As images name it."""
        told = self.info()
        return platform_of(told["OSType"], told["Architecture"])

    def room(self) -> int | None:
        """Bytes that are free where it keeps everything; None where nobody can be asked."""
        with contextlib.suppress(Unavailable), mapped():
            return self.host.room(str(self._api.info()["DockerRootDir"]))
        return None

    def require_room(self) -> None:
        """Raise Unavailable (target_full) where nothing could be made in the place of what is stopped."""
        if is_full(self.room()):
            raise Unavailable(Code.TARGET_FULL, "the disk of the Docker engine is full")

    # images

    def has_image(self, reference: str) -> bool:
        """Whether the image lies on the engine under this reference; under a digest that means it was verified when it was pulled."""
        with self._mapped():
            try:
                self._api.inspect_image(reference)  # type: ignore[no-untyped-call]
            except errors.ImageNotFound:
                return False
            return True

    def is_used(self, reference: str) -> bool:
        """Whether any container is made of it, whosever that is and whether it runs."""
        with self._mapped():
            try:
                image = self._api.inspect_image(reference)["Id"]  # type: ignore[no-untyped-call]
            except errors.ImageNotFound:
                return False
            return any(entry["ImageID"] == image for entry in self._api.containers(all=True))

    def remove_image(self, reference: str) -> None:
        """Remove it; one that is gone already, or that somebody has just begun to use, is fine."""
        with contextlib.suppress(Vanished), self._mapped():
            self._api.remove_image(reference)

    def digests(self, image: str, repository: str) -> frozenset[str]:
        """The manifest digests under which an image is known in a repository; none for one that came another way."""
        with self._mapped():
            try:
                known = self._api.inspect_image(image).get("RepoDigests") or []  # type: ignore[no-untyped-call]
            except errors.ImageNotFound:
                return frozenset()
        pairs = (name.split("@", 1) for name in known if "@" in name)
        return frozenset(digest for name, digest in pairs if name == _familiar(repository))

    def pull(self, repository: str, digest: str, beat: Beat, login: Login | None = None) -> None:
        """Pull by digest, as somebody; the engine checks every byte. Raises Unavailable (registry_unavailable) when it could not."""
        problem = ""
        with self._mapped():
            try:
                problem = patiently(lambda: self._pull(repository, digest, login), beat)
            except errors.APIError as error:
                problem = error.explanation or str(error)
        if problem:
            raise Unavailable(Code.REGISTRY_UNAVAILABLE, f"{repository}@{digest} cannot be pulled: {problem}")

    def _pull(self, repository: str, digest: str, login: Login | None) -> str:
        said = self._api.pull(repository, tag=digest, stream=True, decode=True, auth_config=_as_engines_take(login))
        return next((line["error"] for line in said if "error" in line), "")

    # volumes: our records on the engine

    def volumes(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """All volumes that carry these labels."""
        with self._mapped():
            listed: list[dict[str, Any]] = self._api.volumes(filters=_with(labels))["Volumes"] or []
            return listed

    def create_volume(self, name: str, labels: Mapping[str, str]) -> dict[str, str]:
        """Make an empty volume; one of this name stays as it is. Answers the labels of what is there."""
        with self._mapped():
            return self._api.create_volume(name, labels=dict(labels))["Labels"] or {}

    def remove_volume(self, name: str) -> None:
        """Remove it; one that is gone already is fine."""
        with self._mapped(), contextlib.suppress(errors.NotFound):
            self._api.remove_volume(name)

    # networks

    def networks(self, labels: Mapping[str, str]) -> list[dict[str, Any]]:
        """All networks that carry these labels."""
        with self._mapped():
            listed: list[dict[str, Any]] = self._api.networks(filters=_with(labels))
            return listed

    def network(self, name: str) -> bool:
        """Whether there is one of this name."""
        with self._mapped():
            return any(network["Name"] == name for network in self._api.networks(names=[name]))

    def create_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Make one, if there is none of this name."""
        with self._mapped(refused=Code.START_FAILED), contextlib.suppress(Vanished):
            self._api.create_network(name, labels=dict(labels), check_duplicate=True)

    def join(self, id: str, networks: Iterable[str], alias: str) -> None:
        """Connect a container that has not run yet to those that it is not in."""
        with self._mapped(refused=Code.START_FAILED):
            there = self._api.inspect_container(id)["NetworkSettings"]["Networks"] or {}
            for name in networks:
                if name not in there:
                    self._api.connect_container_to_network(id, name, aliases=[alias])

    def remove_network(self, id: str) -> None:
        """Remove it; one that is gone already is fine."""
        with self._mapped(), contextlib.suppress(errors.NotFound):
            self._api.remove_network(id)

    # the engine itself

    def has_bridge(self) -> bool:
        """Whether containers can have a network of their own; else they use the host's."""
        with self._mapped():
            return any(network["Name"] == "bridge" for network in self._api.networks())

    def _inspect(self, id: str) -> Box | None:
        try:
            return self.inspect(id)
        except Vanished:
            return None

    @contextlib.contextmanager
    def _mapped(self, refused: Code | None = None) -> Iterator[None]:
        """As mapped. What it will not do on a full disk is no fault of what was asked: it says so in words alone, so we look."""
        try:
            with mapped(refused):
                yield
        except (Refused, Unavailable) as error:
            if is_failure(error) and is_full(self.room()):
                raise Unavailable(Code.TARGET_FULL, f"the disk of the Docker engine is full: {error.detail}") from error
            raise


@contextlib.contextmanager
def connect(endpoint: str, tls: docker.TLSConfig | None = None, host: Neighbourhood | None = None) -> Iterator[Engine]:
    """A connection to the engine behind a socket. Raises Unavailable (target_unreachable); over TLS Refused, too (certificates.refusal)."""
    with mapped():
        api = _Direct(base_url=endpoint, version="auto", timeout=TIMEOUT, tls=tls or False)
    with contextlib.closing(api):
        yield Engine(api, host)


class _Direct(docker.APIClient):
    """The library's client, which goes there straight and trusts whom it is told to, whatever the environment of this process says."""

    def _retrieve_server_version(self) -> Any:
        """The first thing that it asks."""
        self.trust_env = False
        return super()._retrieve_server_version()  # type: ignore[misc]


def _as_engines_take(login: Login | None) -> dict[str, str] | None:
    if login is None:
        return None
    return {"username": login.name, "password": login.password} if login.name else {"identitytoken": login.password}


def _with(labels: Mapping[str, str]) -> dict[str, list[str]]:
    return {"label": [f"{name}={value}" for name, value in labels.items()]}


def _familiar(repository: str) -> str:
    """As the engine writes it: the hub's own host and folder are left out."""
    return repository.removeprefix("docker.io/").removeprefix("library/")
