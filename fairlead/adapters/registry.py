"""A repository in an OCI registry, over HTTP. Plain HTTP is for loopback hosts without certificates only, in redirects too."""

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

import httpx

from fairlead.adapters.manifests import ACCEPTED, MAX_MANIFEST, invalid, referrers_tag
from fairlead.adapters.pace import paced, wait_of
from fairlead.adapters.registry_access import Challenge, RegistryAccess, answer
from fairlead.adapters.sources import Document
from fairlead.contracts.canonical import Digest
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotFound, Refused, Unavailable

MAX_REDIRECTS: Final = 5
MAX_TOKEN: Final = 64 * 1024
TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)

NOBODY: Final = RegistryAccess()

_REPOSITORY = re.compile(
    r"(?P<host>[A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?)/"
    r"(?P<path>[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*)"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class Registry:
    """Implements Source for `host[:port]/path`."""

    def __init__(self, repository: str, access: RegistryAccess = NOBODY) -> None:
        match = _REPOSITORY.fullmatch(repository)
        if not match or len(repository) > 255:
            raise BadInput(Code.BAD_REFERENCE, f"{repository!r} is not a repository like host:port/path")
        origin = httpx.URL(f"https://{match['host']}")
        self._repository, self._access, self._host = repository, access, match["host"]
        self._tls = access.tls(self._host)
        self._loopback = is_loopback(origin.host)
        self._base = f"{'http' if self._loopback and not self._tls else 'https'}://{self._host}/v2/{match['path']}"
        self._clients: dict[str, httpx.Client] = {}
        self._authorization: str | None = None

    def by_tag(self, tag: str) -> Document:
        """What a tag names now."""
        if not _TAG.fullmatch(tag):
            raise BadInput(Code.BAD_REFERENCE, f"{tag!r} is not a tag")
        return self._manifest(f"manifests/{tag}", NotFound(Code.TAG_NOT_FOUND, f"{self._repository} has no tag {tag}"))

    def by_digest(self, digest: Digest) -> Document:
        """A manifest."""
        return self._manifest(f"manifests/{digest}", self._no_digest(digest))

    def referrers(self, digest: Digest) -> Document | None:
        """What others attached: by the registry's own list or, where it keeps none, by the tag that stands for it."""
        with suppress(NotFound):
            return self._manifest(f"referrers/{digest}", self._no_digest(digest))
        with suppress(NotFound):
            return self.by_tag(referrers_tag(digest))
        return None

    @contextmanager
    def blob(self, digest: Digest) -> Iterator[Iterator[bytes]]:
        """A blob, in pieces."""
        with self._get(f"{self._base}/blobs/{digest}", "*/*", self._no_digest(digest)) as response:
            # As the bytes come, not in large pieces: whoever waits may be told to stop between any two of them.
            yield paced(response.iter_raw())

    def _manifest(self, place: str, absent: NotFound) -> Document:
        with self._get(f"{self._base}/{place}", ", ".join(ACCEPTED), absent) as response:
            data = bytearray()
            for piece in paced(response.iter_raw()):
                data += piece
                if len(data) > MAX_MANIFEST:
                    raise invalid(f"{place} of {self._repository} is larger than {MAX_MANIFEST} bytes")
            content_type = response.headers.get("content-type", "").split(";")[0].strip() or None
            return Document(bytes(data), content_type, response.headers.get("docker-content-digest"))

    @contextmanager
    def _get(self, url: str, accept: str, absent: NotFound) -> Iterator[httpx.Response]:
        # No compression: what arrives is what is hashed.
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        challenged, redirects = False, 0
        try:
            while redirects <= MAX_REDIRECTS:
                with self._asked(url, {**headers, **self._credentials(url)}) as response:
                    if response.status_code == 401 and not challenged and self._is_ours(url):
                        challenged = True
                        self._authorization = self._answer(response)
                        continue
                    if not response.has_redirect_location:
                        self._check(response, absent)
                        yield response
                        return
                    url, redirects = self._follow(response), redirects + 1
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(Code.REGISTRY_UNAVAILABLE, f"cannot read from {self._repository}: {reason}") from error
        raise self._refused("redirected too often")

    def _is_ours(self, url: str) -> bool:
        """Whether this is the registry itself: nobody that it sends us to is told who we are."""
        return url.startswith(self._base + "/")

    def _credentials(self, url: str) -> dict[str, str]:
        return {"Authorization": self._authorization} if self._authorization and self._is_ours(url) else {}

    def _answer(self, response: httpx.Response) -> str | None:
        challenge = Challenge.of(response.headers.get("www-authenticate", ""))
        return answer(challenge, self._access.login(self._host), self._token)

    def _token(self, realm: str, asked: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
        """What the realm gives, which may be elsewhere, but never over a wire that others read."""
        url = self._target(lambda: httpx.URL(realm).copy_merge_params(asked))
        data = bytearray()
        with self._asked(url, headers) as response:
            if response.status_code == 429 or response.status_code >= 500:
                raise self._unavailable(response)
            if response.status_code != 200:
                raise self._refused(f"does not know us: {response.url.host} answered {response.status_code}")
            for piece in paced(response.iter_bytes()):
                data += piece
                if len(data) > MAX_TOKEN:
                    raise self._refused("gives a token that is too large")
        return _object(bytes(data))

    @contextmanager
    def _asked(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        with ExitStack() as stack:
            try:
                response = stack.enter_context(self._client(url).stream("GET", url, headers=headers))
            except UnicodeError as error:  # the library looks where it is redirected, whether it goes there or not
                raise self._refused("sends us to no URL") from error
            yield response

    def _client(self, url: str) -> httpx.Client:
        # No proxy stands between us and this machine, and plain HTTP needs no trust store; whatever else we are sent to is verified.
        plain, ours = url.startswith("http:"), self._is_ours(url)
        kind = "plain" if plain else "ours" if ours and self._tls else "any"
        if kind not in self._clients:
            verify = self._tls if kind == "ours" and self._tls else not plain
            self._clients[kind] = httpx.Client(timeout=TIMEOUT, trust_env=kind == "any", verify=verify)
        return self._clients[kind]

    def _check(self, response: httpx.Response, absent: NotFound) -> None:
        status = response.status_code
        if status == 404:
            raise absent
        if status == 429 or status >= 500:
            raise self._unavailable(response)
        if status != 200:
            raise self._refused(f"answered {status}")

    def _follow(self, response: httpx.Response) -> str:
        return self._target(lambda: response.url.join(response.headers["location"]))

    def _target(self, told: Callable[[], httpx.URL]) -> str:
        """Where we are sent, if we may go there."""
        try:
            return self._allowed(told())
        except (httpx.InvalidURL, UnicodeError) as error:  # the latter of a host's name that can be none
            raise self._refused("sends us to no URL") from error

    def _allowed(self, target: httpx.URL) -> str:
        # A remote registry must not make us talk to services of this machine, over whatever scheme.
        plain = target.scheme == "http" and self._loopback and is_loopback(target.host)
        inward = is_loopback(target.host) and not self._loopback
        if not plain and (target.scheme != "https" or inward):
            raise self._refused(f"sends us to {target.scheme}://{target.host}")
        return str(target)

    def _unavailable(self, response: httpx.Response) -> Unavailable:
        detail = f"the registry of {self._repository} answered {response.status_code}"
        return Unavailable(Code.REGISTRY_UNAVAILABLE, detail, retry_after=wait_of(response.headers))

    def _refused(self, what: str) -> Refused:
        return Refused(Code.REGISTRY_REFUSED, f"the registry of {self._repository} {what}")

    def _no_digest(self, digest: Digest) -> NotFound:
        return NotFound(Code.DIGEST_NOT_FOUND, f"{self._repository} has no {digest}")


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine without asking any resolver."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
