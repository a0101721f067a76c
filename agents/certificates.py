"""Certificates on the way to a target: those that we show and trust, and which of both sides does not accept the other's."""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused

_NOT_NOW: Final = {9, 10}
_UNKNOWN: Final = {2, 18, 19, 20, 21}
"""X509_V_ERR_*: not valid yet or any more; self-signed, or without an issuer that is known here."""
_NOT_OURS: Final = (
    "BAD_CERTIFICATE",
    "UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
)
_PATIENCE: Final = 5.0
_HTTPS: Final = 443


Paths = Mapping[str, str]
"""Files in PEM by what they are: `ca`, `certificate` and `key`; without `ca` those count that this machine knows."""


def require_usable(paths: Paths) -> None:
    """Raise Refused (certificate_refused, certificate_expired) for what nobody could be shown."""
    read = {name: _read(path) for name, path in paths.items()}
    if "certificate" in read:
        _require_valid_now(read["certificate"], paths["certificate"])
    if read:
        _context(paths)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Refused(Code.CERTIFICATE_REFUSED, f"{path} cannot be read: {error.strerror}") from error


def _require_valid_now(content: bytes, path: str) -> None:
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise Refused(Code.CERTIFICATE_REFUSED, f"{path} holds no certificate in PEM") from error
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first.timestamp() <= time.time() <= last.timestamp():
        raise Refused(
            Code.CERTIFICATE_EXPIRED,
            f"our certificate in {path} is not valid now",
            fields={"not_before": first.isoformat(), "not_after": last.isoformat()},
        )


def _context(paths: Paths) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=paths.get("ca"))
    except ssl.SSLError as error:
        raise Refused(Code.CERTIFICATE_REFUSED, f"{paths['ca']} holds no certificate in PEM") from error
    if "certificate" not in paths:
        return context
    try:
        context.load_cert_chain(paths["certificate"], paths["key"], password="")  # else it would ask on the terminal
    except ssl.SSLError as error:
        detail = f"{paths['key']} is no key in PEM, has a passphrase, or is not that of {paths['certificate']}"
        raise Refused(Code.CERTIFICATE_REFUSED, detail) from error
    return context


def refusal(error: BaseException, whom: str) -> Refused | None:
    """What a failed connection says about certificates, its other end named; None where it says nothing."""
    for link in _chain(error):
        if isinstance(link, ssl.SSLCertVerificationError):
            return _theirs(link, whom)
        if isinstance(link, ssl.SSLError) and any(word in (link.reason or "") for word in _NOT_OURS):
            return Refused(Code.CLIENT_CERTIFICATE_REFUSED, f"{whom} does not accept our certificate: {link.reason}")
    return None


def _theirs(error: ssl.SSLCertVerificationError, whom: str) -> Refused:
    code, words = Code.CERTIFICATE_REFUSED, error.verify_message
    if error.verify_code in _NOT_NOW:
        code = Code.CERTIFICATE_EXPIRED
    elif error.verify_code in _UNKNOWN:
        code = Code.AUTHORITY_UNKNOWN
    return Refused(code, f"the certificate of {whom} is not accepted: {words}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it. The libraries put causes among the arguments, too."""
    seen: set[int] = set()
    links: list[object] = [error]
    while links:
        link = links.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            links += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]


def why(endpoint: str, paths: Paths, whom: str) -> Refused | None:
    """What is there to say about certificates, asked without a request: who answers there may close before the answer to one is read."""
    there = urlsplit(endpoint)
    try:
        with (
            socket.create_connection((there.hostname or "", there.port or _HTTPS), _PATIENCE) as plain,
            _context(paths).wrap_socket(plain, server_hostname=there.hostname) as safe,
        ):
            safe.recv(1)
    except OSError as error:
        return refusal(error, whom)
    return None
