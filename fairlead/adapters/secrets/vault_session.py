"""Being logged in to Vault or OpenBao: by token, AppRole or JWT; the lease is renewed while it is used, and given back at the end."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import hvac  # type: ignore[import-untyped]
from hvac import exceptions

SPENT = 0.5
"""The part of a lease after which it is renewed."""


class Login(Protocol):
    """A way to get a token."""

    @property
    def is_ours(self) -> bool:
        """Whether it was made for us, so that we revoke it in the end."""

    def token(self, client: hvac.Client) -> tuple[str, float]:
        """A token and how many seconds it is good for."""


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token that somebody gave us, in a setting or in a file that Vault's agent writes anew."""

    given: str | Path
    is_ours: bool = False

    def token(self, client: hvac.Client) -> tuple[str, float]:
        """The token, and what Vault says of it."""
        client.token = text(self.given)
        known = client.auth.token.lookup_self()["data"]
        return str(client.token), float(known.get("ttl") or math.inf)


@dataclass(frozen=True, slots=True)
class AppRoleLogin:
    """A role id with its secret id."""

    role_id: str
    secret_id: str | Path
    mount: str = "approle"
    is_ours: bool = True

    def token(self, client: hvac.Client) -> tuple[str, float]:
        """A token of the role."""
        secret_id = text(self.secret_id)
        answer = client.auth.approle.login(self.role_id, secret_id, use_token=False, mount_point=self.mount)
        return _granted(answer)


@dataclass(frozen=True, slots=True)
class JwtLogin:
    """A signed token of this workload, read anew for each login."""

    role: str
    jwt: Path
    mount: str = "jwt"
    is_ours: bool = True

    def token(self, client: hvac.Client) -> tuple[str, float]:
        """A token of the role."""
        return _granted(client.auth.jwt.jwt_login(self.role, text(self.jwt), use_token=False, path=self.mount))


class VaultSession:
    """One login, shared by all threads. `connect` answers a client without a token."""

    def __init__(
        self, connect: Callable[[], hvac.Client], login: Login, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connect, self._login, self._clock = connect, login, clock
        self._lock = threading.Lock()
        self._client: Any = None
        self._renew_at = self._ends_at = -math.inf

    def client(self) -> hvac.Client:
        """A client whose token is good for a while. Raises what hvac raises."""
        with self._lock:
            now = self._clock()
            if self._client is None or now >= self._ends_at:
                return self._log_in()
            return self._renew(self._client) if now >= self._renew_at else self._client

    def again(self, refused: hvac.Client) -> hvac.Client | None:
        """Another client where Vault does not know this one's token any more; None where it does, and means its refusal."""
        with self._lock:
            if self._client is not refused:  # somebody else has seen it too
                return self._client
            try:
                refused.auth.token.lookup_self()
            except exceptions.Forbidden:
                return self._log_in()
            return None

    def close(self) -> None:
        """Revoke a token that was made for us."""
        with self._lock:
            if self._client is not None and self._login.is_ours:
                self._client.auth.token.revoke_self()
            self._client = None

    def _log_in(self) -> hvac.Client:
        client = self._connect()
        client.token, seconds = self._login.token(client)
        self._client = client
        self._lasts(seconds)
        return client

    def _renew(self, client: hvac.Client) -> hvac.Client:
        """Once the lease cannot be made longer, which Vault says by granting less and less, a new login follows."""
        try:
            _, seconds = _granted(client.auth.token.renew_self())
        except (exceptions.Forbidden, exceptions.InvalidRequest):
            return self._log_in()
        self._lasts(seconds)
        return client

    def _lasts(self, seconds: float) -> None:
        now = self._clock()
        self._renew_at, self._ends_at = now + seconds * SPENT, now + seconds


def text(given: str | Path) -> str:
    """What was given itself, or lies in a file."""
    return given.read_text().strip() if isinstance(given, Path) else given


def _granted(answer: Any) -> tuple[str, float]:
    auth = answer["auth"]
    return str(auth["client_token"]), float(auth.get("lease_duration") or math.inf)
