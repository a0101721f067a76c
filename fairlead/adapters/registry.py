"""A repository in an OCI registry, over HTTP. Plain HTTP is for loopback hosts only, in redirects too."""

import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from fairlead.adapters.manifests import ACCEPTED, MAX_MANIFEST, invalid
from fairlead.adapters.pace import paced, wait_of
from fairlead.adapters.sources import Document
from fairlead.contracts.canonical import Digest
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound, Refused, Unavailable

MAX_REDIRECTS: Final = 5
TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)

_REPOSITORY = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?)/"
    r"(?P<path>[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class Registry:
    """Implements Source for `host[:port]/path`."""

    def __init__(self, repository: str) -> None:
        match = _REPOSITORY.fullmatch(repository)
        if not match or len(repository) > 255:
            raise BadInput(Code.BAD_REFERENCE, f"{repository!r} is not a repository like host:port/path")
        origin = httpx.URL(f"https://{match['host']}")
        self._repository = repository
        self._loopback = is_loopback(origin.host)
        self._base = f"{'http' if self._loopback else 'https'}://{match['host']}/v2/{match['path']}"
        self._clients: dict[bool, httpx.Client] = {}

    def by_tag(self, tag: str) -> Document:
        """What a tag names now."""
        if not _TAG.fullmatch(tag):
            raise BadInput(Code.BAD_REFERENCE, f"{tag!r} is not a tag")
        return self._manifest(tag, NotFound(Code.TAG_NOT_FOUND, f"{self._repository} has no tag {tag}"))

    def by_digest(self, digest: Digest) -> Document:
        """A manifest."""
        return self._manifest(digest, self._no_digest(digest))

    @contextmanager
    def blob(self, digest: Digest) -> Iterator[Iterator[bytes]]:
        """A blob, in pieces."""
        with self._get(f"{self._base}/blobs/{digest}", "*/*", self._no_digest(digest)) as response:
            # As the bytes come, not in large pieces: whoever waits may be told to stop between any two of them.
            yield paced(response.iter_raw())

    def _manifest(self, reference: str, absent: NotFound) -> Document:
        with self._get(f"{self._base}/manifests/{reference}", ", ".join(ACCEPTED), absent) as response:
            data = bytearray()
            for piece in paced(response.iter_raw()):
                data += piece
                if len(data) > MAX_MANIFEST:
                    raise invalid(f"the manifest {reference} of {self._repository} is larger than {MAX_MANIFEST} bytes")
            content_type = response.headers.get("content-type", "").split(";")[0].strip() or None
            return Document(bytes(data), content_type, response.headers.get("docker-content-digest"))

    @contextmanager
    def _get(self, url: str, accept: str, absent: NotFound) -> Iterator[httpx.Response]:
        # No compression: what arrives is what is hashed.
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with self._client(url).stream("GET", url, headers=headers) as response:
                    if not response.has_redirect_location:
                        self._check(response, absent)
                        yield response
                        return
                    url = self._follow(response)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(Code.REGISTRY_UNAVAILABLE, f"cannot read from {self._repository}: {reason}") from error
        raise self._refused("redirected too often")

    def _client(self, url: str) -> httpx.Client:
        # No proxy stands between us and this machine, and plain HTTP needs no trust store; whatever else we are sent to is verified.
        plain = url.startswith("http:")
        if plain not in self._clients:
            self._clients[plain] = httpx.Client(timeout=TIMEOUT, trust_env=not plain, verify=not plain)
        return self._clients[plain]

    def _check(self, response: httpx.Response, absent: NotFound) -> None:
        status = response.status_code
        if status == 404:
            raise absent
        if status == 429 or status >= 500:
            detail = f"the registry of {self._repository} answered {status}"
            raise Unavailable(Code.REGISTRY_UNAVAILABLE, detail, retry_after=wait_of(response.headers))
        if status != 200:
            raise self._refused(f"answered {status}")

    def _follow(self, response: httpx.Response) -> str:
        try:
            target = response.url.join(response.headers["location"])
        except httpx.InvalidURL as error:
            raise self._refused("redirected to no URL") from error
        # A remote registry must not make us talk to services of this machine, over whatever scheme.
        plain = target.scheme == "http" and self._loopback and is_loopback(target.host)
        inward = is_loopback(target.host) and not self._loopback
        if not plain and (target.scheme != "https" or inward):
            raise self._refused(f"redirected to {target.scheme}://{target.host}")
        return str(target)

    def _refused(self, what: str) -> Refused:
        return Refused(Code.REGISTRY_REFUSED, f"the registry of {self._repository} {what}")

    def _no_digest(self, digest: Digest) -> NotFound:
        return NotFound(Code.DIGEST_NOT_FOUND, f"{self._repository} has no {digest}")


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine without asking any resolver."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
