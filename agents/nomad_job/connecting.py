"""How a target's Nomad is reached: its certificate is checked, the token is read at the last moment and kept nowhere."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import requests

from agents.nomad_job.marks import Address
from agents.nomad_job.server import Said, Server
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, Refused, Unavailable
from fairlead.ports import Secrets

_TIMEOUT: Final = 30
"""Longer than the five seconds that a server without a leader takes to say so."""


@contextlib.contextmanager
def connect(address: Address, secrets: Secrets) -> Iterator[Server]:
    """The Nomad of a target. Raises Refused (target_denied, certificate_refused) and Unavailable (target_unreachable, no_leader)."""
    with contextlib.closing(requests.Session()) as session:
        # Neither proxies nor a .netrc of whoever runs this.
        session.trust_env = False
        try:
            yield Server(_settings(address, secrets, session))
        except Said as no:
            raise Unavailable(Code.TARGET_UNREACHABLE, f"Nomad says {no.status}: {no.text}") from no


def _settings(address: Address, secrets: Secrets, session: requests.Session) -> dict[str, Any]:
    options = address.options
    for key in ("ca", "certificate", "key"):
        _readable(options.get(key))
    return {
        "address": address.endpoint.rstrip("/"),
        "namespace": options.get("namespace", "default"),
        "region": options.get("region"),
        "token": _token(options.get("token"), secrets),
        "timeout": _TIMEOUT,
        # The library's own default is not to look at certificates at all.
        "verify": options.get("ca") or True,
        "cert": (options["certificate"], options["key"]) if "certificate" in options else None,
        "session": session,
    }


def _readable(path: str | None) -> None:
    """The library would answer a file that is not there with an error that is none of its own."""
    try:
        if path:
            with open(path, "rb"):
                pass
    except OSError as error:
        raise Refused(Code.CERTIFICATE_REFUSED, f"{path} cannot be read: {error.strerror}") from error


def _token(reference: str | None, secrets: Secrets) -> str | None:
    """The ACL token's value. What cannot be one goes no further: an error about it would show it."""
    if not reference:
        return None
    token = secrets.read(SecretUse(reference=reference, version=secrets.version(reference))).strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotAllowed(Code.TARGET_DENIED, f"what {reference} holds is no token")
    return token
