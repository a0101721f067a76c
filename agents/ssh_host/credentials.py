"""What we log in with: read where it is used, by reference, and kept nowhere."""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

import paramiko
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from agents.ssh_host.options import Options
from fairlead.contracts.release import SecretUse
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused
from fairlead.ports import Secrets

_KINDS: Sequence[type[paramiko.PKey]] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Tried in this order. `repr` shows nothing of them."""

    key: paramiko.PKey | None
    agent: bool
    password: str | None

    def __repr__(self) -> str:
        return "Credentials(...)"


def read_credentials(options: Options, secrets: Secrets) -> Credentials:
    """Read key, certificate and password. Raises as ports.Secrets does; Refused (ssh_key_unusable, ssh_certificate_expired)."""
    key = None
    if options.key:
        passphrase = _read(secrets, options.passphrase) if options.passphrase else None
        key = _key(_read(secrets, options.key), passphrase, options.key)
        if options.certificate:
            _certify(key, _read(secrets, options.certificate).strip(), options.certificate)
    return Credentials(key, options.agent, _read(secrets, options.password) if options.password else None)


def _read(secrets: Secrets, reference: str) -> str:
    return secrets.read(SecretUse(reference=reference, version=secrets.version(reference)))


def _key(text: str, passphrase: str | None, reference: str) -> paramiko.PKey:
    """Which kind it is only its bytes tell, so each kind is asked."""
    text = text.strip() + "\n"
    for kind in _KINDS:
        try:
            return kind.from_private_key(io.StringIO(text), passphrase)
        except (paramiko.SSHException, ValueError, TypeError, IndexError):
            continue
    raise BadInput(
        Code.SSH_KEY_UNUSABLE,
        f"what {reference} holds is not a private key of type Ed25519, ECDSA or RSA, or its passphrase is another",
    )


def _certify(key: paramiko.PKey, text: str, reference: str) -> None:
    try:
        certificate = load_ssh_public_identity(text.encode())
        key.load_certificate(text)
    except (ValueError, paramiko.SSHException) as error:
        raise BadInput(Code.SSH_KEY_UNUSABLE, f"what {reference} holds is not a certificate of that key") from error
    if (
        isinstance(certificate, SSHCertificate)
        and not certificate.valid_after <= time.time() < certificate.valid_before
    ):
        raise Refused(
            Code.SSH_CERTIFICATE_EXPIRED,
            f"the certificate in {reference} is not valid now",
            fields={"valid_after": certificate.valid_after, "valid_before": certificate.valid_before},
        )
