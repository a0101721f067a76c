"""How we are let into registries: logins as Docker keeps them, certificates as Docker lays them out, answers to challenges (RFC 9110, 11).

Both conventions are Docker's own, so that what lets an engine in lets us in: `config.json` with `auths`, `credHelpers` and `credsStore`, and
`certs.d/HOST[:PORT]/` with `*.crt` (authorities), `client.cert` and `client.key`.
"""

import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import parse_http_list, parse_keqv_list

from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

if TYPE_CHECKING:
    from docker.auth import AuthConfig

TOKEN_USER = "<token>"  # noqa: S105 - what credential helpers say in the place of a name, where the password is an identity token


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password; without a name the password is an identity token."""

    name: str
    password: str

    @property
    def basic(self) -> str:
        """As the header of RFC 7617."""
        return "Basic " + b64encode(f"{self.name}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """`config`: a Docker configuration file; `certs`: a folder like Docker's certs.d. Each is read anew whenever it is asked.

    `tokens`: gives a login of hosts that have none in the file, for those that it knows.
    """

    config: Path | None = None
    certs: Path | None = None
    tokens: Callable[[str], Login | None] | None = None

    def login(self, host: str) -> Login | None:
        """Who we are at a registry; nobody in particular without an entry. Raises BadInput (registry_login)."""
        return self._configured(host) or (self.tokens(host) if self.tokens else None)

    def _configured(self, host: str) -> Login | None:
        if self.config is None:
            return None
        from docker.errors import DockerException  # slow to import, and most APIs have no such file

        try:
            found = self._logins().resolve_authconfig(host)
        except (OSError, ValueError, DockerException) as error:
            raise _unreadable(f"{self.config} gives no login for {host}: {type(error).__name__}") from error
        return _login(found) if found else None

    def _logins(self) -> "AuthConfig":
        from docker.auth import AuthConfig

        said = json.loads(self.config.read_bytes()) if self.config else {}
        if not isinstance(said, dict):
            raise ValueError("not a JSON object")
        return AuthConfig.load_config(None, said)

    def tls(self, host: str) -> ssl.SSLContext | None:
        """What is said of this host's certificates; None where nothing is. Raises BadInput (registry_login)."""
        folder = self.certs / host if self.certs else None
        if folder is None or not folder.is_dir():
            return None
        context = ssl.create_default_context()
        try:
            for authority in sorted(folder.glob("*.crt")):
                context.load_verify_locations(authority)
            for certificate in sorted(folder.glob("*.cert")):
                context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        except OSError as error:
            raise _unreadable(f"the certificates in {folder} cannot be read: {error}") from error
        return context


def _login(found: Mapping[str, Any]) -> Login | None:
    if token := found.get("IdentityToken"):
        return Login("", str(token))
    name, password = (found.get(key) or found.get(key.capitalize()) for key in ("username", "password"))
    if not name or not password:
        return None
    return Login("" if name == TOKEN_USER else str(name), str(password))


def _unreadable(detail: str) -> BadInput:
    return BadInput(Code.REGISTRY_LOGIN, detail, hint="FAIRLEAD_DOCKER_CONFIG and FAIRLEAD_REGISTRY_CERTS")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry asks for: a scheme in lower case, and its parameters."""

    scheme: str
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, header: str) -> "Challenge":
        """Of a WWW-Authenticate header; an unreadable one asks for nothing that we could give."""
        scheme, _, rest = header.strip().partition(" ")
        try:
            return cls(scheme.lower(), parse_keqv_list(parse_http_list(rest)))
        except (ValueError, IndexError):
            return cls("", {})


Fetch = Callable[[str, Mapping[str, str], Mapping[str, str]], Mapping[str, Any]]
"""Get a JSON object from a URL with query parameters and headers."""


def answer(challenge: Challenge, login: Login | None, fetch: Fetch) -> str | None:
    """The Authorization header that a challenge asks for, None where we have nothing to say.

    A bearer token is fetched from the realm, as whoever we are there (the distribution project's token authentication).
    """
    if challenge.scheme == "basic":
        return login.basic if login and login.name else None
    if challenge.scheme != "bearer" or "realm" not in challenge.parameters:
        return None
    asked = {name: challenge.parameters[name] for name in ("service", "scope") if name in challenge.parameters}
    headers = {"Authorization": login.basic if login.name else f"Bearer {login.password}"} if login else {}
    given = fetch(challenge.parameters["realm"], asked, headers)
    token = given.get("token") or given.get("access_token")
    return f"Bearer {token}" if isinstance(token, str) and token.isascii() and token.isprintable() else None
