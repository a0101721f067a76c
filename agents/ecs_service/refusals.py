"""What AWS and its client library say, as our errors. By the codes that they give, never by their words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError, NotAllowed, NotFound, Refused, Unavailable

_THROTTLED: Final = {
    "ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "PriorRequestNotComplete", "BandwidthLimitExceeded",
}  # fmt: skip
_DENIED: Final = {
    "AccessDenied", "AccessDeniedException", "AuthFailure", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized",
    "OptInRequired", "SignatureDoesNotMatch", "UnauthorizedOperation", "UnrecognizedClientException",
}  # fmt: skip
_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
"""Whoever asks again does so with credentials that were read anew."""
_INVALID: Final = {
    "ClientException", "ConflictException", "InvalidParameterException", "InvalidRequestException", "LimitExceededException",
    "NamespaceNotFoundException",
    "PlatformTaskDefinitionIncompatibilityException", "PlatformUnknownException", "UnsupportedFeatureException", "ValidationException",
}  # fmt: skip
_GONE: Final = {"ServiceNotActiveException", "ServiceNotFoundException"}
_ABSENT: Final = "ResourceNotFoundException"
_NO_CLUSTER: Final = "ClusterNotFoundException"
_ASSUME: Final = "AssumeRole"
_SERVER_ERROR: Final = 500
_FORBIDDEN: Final = 403


class Silent(Unavailable):
    """No answer came: whether the call was carried out is not known."""


class Absent(NotFound):
    """What a call names is not there. Never leaves this package."""


@contextmanager
def mapped() -> Iterator[None]:
    """The library's errors as ours."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        raise meant(error.response, error.operation_name) from error
    except exceptions.ParamValidationError as error:
        raise invalid(str(error)) from error
    except exceptions.SSLError as error:
        detail = f"the TLS connection to AWS is refused: {error}"
        raise Refused(Code.CERTIFICATE_REFUSED, detail) from error
    except exceptions.CredentialRetrievalError as error:
        raise Unavailable(Code.TARGET_DENIED, f"the credentials for AWS cannot be had now: {error}") from error
    except _no_credentials() as error:
        raise NotAllowed(Code.TARGET_DENIED, f"there are no credentials for AWS here: {error}") from error
    except exceptions.BotoCoreError as error:
        raise Silent(Code.TARGET_UNREACHABLE, f"AWS does not answer: {error}") from error


def meant(answer: Any, operation: str) -> FairleadError:
    """What an error that AWS answered means."""
    said = answer.get("Error") or {}
    code, words = str(said.get("Code", "")), str(said.get("Message", ""))
    status = int((answer.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 400)
    detail = f"AWS says {code} to {operation}: {words}"
    if code in _THROTTLED:
        return Unavailable(Code.TARGET_THROTTLED, detail)
    if status >= _SERVER_ERROR:
        return Silent(Code.TARGET_UNREACHABLE, detail)
    if code in _EXPIRED:
        return Unavailable(Code.TARGET_DENIED, detail)
    if operation == _ASSUME:
        return NotAllowed(Code.ROLE_REFUSED, detail, hint="see the role's trust policy, and its external id")
    if code in _DENIED or status == _FORBIDDEN:
        return NotAllowed(Code.TARGET_DENIED, detail)
    return _about_things(code, detail)


def _about_things(code: str, detail: str) -> FairleadError:
    if code == _NO_CLUSTER:
        return NotFound(Code.CLUSTER_NOT_FOUND, detail)
    if code in _GONE:
        return Unavailable(Code.SERVICE_NOT_ACTIVE, detail)
    if code == _ABSENT:
        return Absent(Code.TARGET_NOT_FOUND, detail)
    return invalid(detail) if code in _INVALID else Unavailable(Code.TARGET_UNREACHABLE, detail)


def invalid(detail: str) -> Refused:
    """Nothing that AWS would run."""
    return Refused(Code.DEFINITION_INVALID, detail)


def _no_credentials() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.ProfileNotFound,
        exceptions.TokenRetrievalError,
        exceptions.NoAuthTokenError,
    )
