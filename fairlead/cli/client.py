"""The API over HTTP: answers as JSON values, problems as exceptions, and posts that may be sent twice."""

import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from fairlead.cli.home import Settings
from fairlead.cli.problem import Problem
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
LONG_POLL_SLACK = 15.0
ATTEMPTS = 3
Json = Any
Query = str | int | Sequence[str] | None


class Api:
    """One server, as one key's owner."""

    def __init__(self, settings: Settings) -> None:
        _check(settings)
        self._settings = settings
        headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
        self._http = httpx.Client(base_url=f"{settings.url.rstrip('/')}/api/v1", headers=headers, timeout=TIMEOUT)

    @property
    def project(self) -> str:
        """The path of the project that is meant. Raises BadInput (missing_field)."""
        if not self._settings.project:
            raise BadInput(
                Code.MISSING_FIELD, "which project?", hint="FAIRLEAD_PROJECT, or fairlead config set project NAME"
            )
        return f"/projects/{quote(self._settings.project, safe='')}"

    def get(self, path: str, *, timeout: float | None = None, **query: Query) -> Json:
        """What lies under a path. Raises Problem."""
        return self.get_raw(path, timeout=timeout, **query).json()

    def get_raw(self, path: str, *, timeout: float | None = None, **query: Query) -> httpx.Response:
        """The same, byte for byte."""
        known = {name: value for name, value in query.items() if value is not None}
        limit = TIMEOUT if timeout is None else httpx.Timeout(timeout, connect=5.0)
        return self._send("GET", path, params=known, timeout=limit)

    def post(
        self,
        path: str,
        body: Json = None,
        *,
        content: bytes | None = None,
        timeout: float | None = None,
        **query: str,
    ) -> Json:
        """Ask for something once: it is sent again where no answer came, with the same Idempotency-Key."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        more = {"timeout": httpx.Timeout(timeout, connect=5.0)} if timeout else {}
        sent = {**_body(body, content), **more}
        return self._send("POST", path, attempts=ATTEMPTS, headers=headers, params=query, **sent).json()

    def put(self, path: str, content: bytes, media_type: str, **query: str) -> Json:
        """Make it be so."""
        headers = {"Content-Type": media_type}
        return self._send("PUT", path, attempts=ATTEMPTS, headers=headers, params=query, content=content).json()

    def patch(self, path: str, body: Json) -> Json:
        """Change something."""
        return self._send("PATCH", path, attempts=ATTEMPTS, json=body).json()

    def delete(self, path: str) -> Json:
        """End something."""
        return self._send("DELETE", path, attempts=ATTEMPTS).json()

    def _send(self, verb: str, path: str, *, attempts: int = 1, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(verb, path, **request)
        except httpx.InvalidURL as error:
            raise BadInput(Code.BAD_VALUE, f"{path!r:.80} cannot be asked for: {error}") from error
        except httpx.TransportError as error:
            if attempts > 1 and not isinstance(error, httpx.ConnectError):
                return self._send(verb, path, attempts=attempts - 1, **request)
            raise Problem.unreachable(self._settings.url, str(error) or type(error).__name__) from error
        if response.is_error or response.is_redirect:
            raise Problem.of(response)
        return response


def _check(settings: Settings) -> None:
    """Raises BadInput (bad_value) for what HTTP cannot carry."""
    try:
        url = urlsplit(settings.url)
        if url.scheme not in {"http", "https"} or not url.hostname or url.port == 0:
            raise ValueError("it begins with http:// or https:// and a host")
    except ValueError as error:
        raise BadInput(Code.BAD_VALUE, f"{settings.url!r} is not a server's URL: {error}") from error
    if not (settings.key.isascii() and settings.key.isprintable()):
        raise BadInput(Code.BAD_VALUE, "the bearer key is not printable ASCII", hint="FAIRLEAD_KEY")


def _body(body: Json, content: bytes | None) -> dict[str, Any]:
    if content is not None:
        return {"content": content}
    return {} if body is None else {"json": body}
