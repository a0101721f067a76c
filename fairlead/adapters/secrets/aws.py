"""What the places on AWS share: clients that are made when first used, and errors as ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fairlead.adapters.secrets.place import absent, denied
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.domain.secret_references import SecretReference

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 10

_ABSENT: Final = {
    "ResourceNotFoundException",
    "ParameterNotFound",
    "ParameterVersionNotFound",
    "InvalidRequestException",
}
_DENIED: Final = {
    "AccessDenied", "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch",
    "InvalidSignatureException", "ExpiredToken", "ExpiredTokenException", "DecryptionFailure", "ValidationException",
    "InvalidParameterException", "InvalidKeyId",
}  # fmt: skip


class AwsAccess:
    """Whose credentials are used is up to the usual chain: environment, files, the machine's or container's role."""

    def __init__(self, region: str = "", endpoint: str = "") -> None:
        self._region, self._endpoint = region or None, endpoint or None
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """A client; they may be shared by threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def _make(self, service: str) -> Any:
        import boto3  # slow to import, and most installations have no use for it
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"max_attempts": 2, "mode": "standard"}
        )
        session = boto3.session.Session(region_name=self._region)
        return session.client(service, endpoint_url=self._endpoint, config=config)  # type: ignore[call-overload]


@contextmanager
def mapped(reference: SecretReference) -> Iterator[None]:
    """The library's errors as ours."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _ABSENT:
            raise absent(reference, f"AWS says {code}") from error
        if code in _DENIED:
            raise denied(reference, f"AWS says {code}") from error
        raise Unavailable(Code.SECRETS_UNAVAILABLE, f"{reference}: AWS says {code}") from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.NoRegionError) as error:
        raise denied(reference, str(error)) from error
    except exceptions.BotoCoreError as error:
        raise Unavailable(Code.SECRETS_UNAVAILABLE, f"{reference}: AWS does not answer: {error}") from error
