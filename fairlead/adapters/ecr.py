"""Logins to Amazon ECR: a token for twelve hours, given to whoever the usual chain of AWS credentials says we are."""

import re
import threading
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from fairlead.adapters.registry_access import Login
from fairlead.adapters.secrets.aws import AwsAccess
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Unavailable

EARLY: Final = timedelta(minutes=10)
"""A token is made anew this long before it ends: who pulls with it must come to an end with it."""

_HOST = re.compile(r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]{1,32})\.amazonaws\.com(?:\.cn)?")


class EcrLogins:
    """The `tokens` of a RegistryAccess. `endpoint`: where AWS answers, if not where it usually does."""

    def __init__(self, clock: Callable[[], datetime], endpoint: str = "") -> None:
        self._clock, self._endpoint = clock, endpoint
        self._known: dict[str, tuple[Login, datetime]] = {}
        self._lock = threading.Lock()

    def __call__(self, host: str) -> Login | None:
        """Who we are at a registry of ECR; None at any other. Raises BadInput (registry_login), Unavailable (registry_unavailable)."""
        match = _HOST.fullmatch(host)
        if match is None:
            return None
        with self._lock:
            login, until = self._known.get(host, (None, self._clock()))
            if login is None or until <= self._clock():
                login, until = _login(AwsAccess(match["region"], self._endpoint).client("ecr"), host)
                self._known[host] = login, until - EARLY
            return login


def _login(client: Any, host: str) -> tuple[Login, datetime]:
    from botocore import exceptions  # slow to import, and most installations have no use for it

    try:
        given = client.get_authorization_token()["authorizationData"][0]
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        raise Unavailable(
            Code.REGISTRY_UNAVAILABLE, f"ECR gives no login for {host}: {type(error).__name__}"
        ) from error
    except (exceptions.ClientError, exceptions.BotoCoreError) as error:
        hint = "the role of this process needs ecr:GetAuthorizationToken"
        raise BadInput(Code.REGISTRY_LOGIN, f"ECR gives no login for {host}: {error}", hint=hint) from error
    name, _, password = b64decode(given["authorizationToken"]).decode().partition(":")
    return Login(name, password), given["expiresAt"]
