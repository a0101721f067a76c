"""How a target's Nomad is reached: its certificate is checked, the token is read at the last moment and kept nowhere."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import requests

from agents import certificates
from agents.nomad_job.marks import Address
from agents.nomad_job.server import NOMAD, Said, Server, Silent
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotAllowed, Refused, Unavailable
from fairlead.ports import Secrets

_TIMEOUT: Final = 30
"""Longer than the five seconds that a server without a leader takes to say so."""


@contextlib.contextmanager
def connect(address: Address, secrets: Secrets) -> Iterator[Server]:
    """The Nomad of a target. Raises Refused (target_denied, and those about certificates) and Unavailable (target_unreachable, no_leader)."""
    paths: dict[str, str] = {
        key: str(address.options[key]) for key in ("ca", "certificate", "key") if key in address.options
    }
    certificates.require_usable(paths)
    with contextlib.closing(requests.Session()) as session:
        # Neither proxies nor a .netrc of whoever runs this.
        session.trust_env = False
        try:
            yield Server(_settings(address, secrets, session))
        except Said as no:
            raise Unavailable(Code.TARGET_UNREACHABLE, f"Nomad says {no.status}: {no.text}") from no
        except (Silent, Refused) as error:
            why = _why(error, address.endpoint, paths)
            if why is None:
                raise
            raise why from error


def _why(error: FairleadError, endpoint: str, paths: certificates.Paths) -> Refused | None:
    """What certificates have to do with it, where that is not clear: who refuses ours may close before we have read that he does."""
    unclear = isinstance(error, Silent) or error.code == Code.CERTIFICATE_REFUSED
    return certificates.why(endpoint, paths, NOMAD) if unclear and endpoint.startswith("https:") else None


def _settings(address: Address, secrets: Secrets, session: requests.Session) -> dict[str, Any]:
    options = address.options
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


def _token(reference: str | None, secrets: Secrets) -> str | None:
    """The ACL token's value. What cannot be one goes no further: an error about it would show it."""
    if not reference:
        return None
    token = secrets.read(SecretUse(reference=reference, version=secrets.version(reference))).strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotAllowed(Code.TARGET_DENIED, f"what {reference} holds is no token")
    return token
