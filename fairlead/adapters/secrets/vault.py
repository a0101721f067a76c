"""`vault://MOUNT/PATH#KEY`: the KV engine, version 2, of HashiCorp Vault or OpenBao."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hvac  # type: ignore[import-untyped]
import requests
from hvac import exceptions

from fairlead.adapters.secrets.place import absent, denied, pick
from fairlead.adapters.secrets.vault_session import VaultSession
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.domain.secret_references import SecretReference

SECONDS = 10.0


def connector(address: str, *, namespace: str | None = None, ca: Path | None = None) -> Callable[[], hvac.Client]:
    """Makes clients without a token. Redirects are not followed: the token would go along."""

    def connect() -> hvac.Client:
        return hvac.Client(
            url=address,
            token="",  # not what lies about in the environment or in somebody's home
            namespace=namespace or None,
            verify=str(ca) if ca else True,
            timeout=SECONDS,
            allow_redirects=False,
        )

    return connect


class VaultSecrets:
    """The version is the engine's own number."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    def version(self, reference: SecretReference) -> str:
        """Which version there is now; also looks whether it has the key."""
        data = self._data(reference, None)
        pick(reference, data["data"])
        return str(data["metadata"]["version"])

    def read(self, reference: SecretReference, version: str) -> str:
        """The value of that version."""
        if not version.isdigit():
            raise absent(reference, f"it has no version {version!r:.80}")
        return pick(reference, self._data(reference, int(version))["data"])

    def close(self) -> None:
        """Give the token back, if that can be done."""
        with suppress(exceptions.VaultError, requests.RequestException):
            self._session.close()

    def _data(self, reference: SecretReference, version: int | None) -> Any:
        with _mapped(reference):
            client = self._session.client()
            try:
                return _ask(client, reference, version)
            except exceptions.Forbidden:
                other = self._session.again(client)
                if other is None:
                    raise
                return _ask(other, reference, version)


def _ask(client: hvac.Client, reference: SecretReference, version: int | None) -> Any:
    mount, _, path = reference.place.partition("/")
    answer = client.secrets.kv.v2.read_secret_version(
        path=path, version=version, mount_point=mount, raise_on_deleted_version=True
    )
    return answer["data"]


@contextmanager
def _mapped(reference: SecretReference) -> Iterator[None]:
    """The library's errors as ours. A login that is refused comes as 400."""
    try:
        yield
    except exceptions.InvalidPath as error:
        raise absent(reference, "Vault has no such secret, or not this version") from error
    except (exceptions.Forbidden, exceptions.Unauthorized, exceptions.InvalidRequest) as error:
        raise denied(reference, f"Vault says: {_words(error)}") from error
    except (exceptions.VaultError, requests.RequestException) as error:
        raise Unavailable(Code.SECRETS_UNAVAILABLE, f"{reference}: Vault does not answer: {_words(error)}") from error
    except (KeyError, TypeError) as error:
        raise Unavailable(Code.SECRETS_UNAVAILABLE, f"{reference}: what answers is no Vault with KV 2") from error
    except OSError as error:
        raise denied(reference, f"what to log in with cannot be read: {error.strerror}") from error


def _words(error: Exception) -> str:
    said = getattr(error, "errors", None)
    return "; ".join(map(str, said)) if said else type(error).__name__
