"""Clients of AWS for a target: its region, whose credentials, which role. They are made once, for they are slow to make."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from agents.ecs_service.marks import Address
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, NotAllowed
from fairlead.domain.target_kinds.ecs_service import region_of

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
ATTEMPTS: Final = 3
"""Of the library's own, which waits between them when it is throttled; what is still refused then is for whoever called us to try again."""

_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target's AWS is, and who we are there."""

    endpoint: str
    region: str
    role: str = ""
    external_id: str = ""

    @classmethod
    def of(cls, address: Address) -> "Place":
        """Raises BadInput (missing_field) where the region cannot be told."""
        said = address.options
        region = region_of(address.endpoint, said)
        if not region:
            raise BadInput(Code.MISSING_FIELD, f"{address.endpoint} names no region: give one in the target's options")
        return cls(address.endpoint, region, said.get("role", ""), said.get("external_id", ""))

    def url(self, service: str) -> str | None:
        """Where another service is: at AWS where the library knows it, else at whatever answers for ECS."""
        host = urlsplit(self.endpoint).hostname or ""
        return None if service != "ecs" and host.endswith(_AWS) else self.endpoint


class Access:
    """Whose credentials are used is up to the usual chain: environment, files, the machine's or container's role."""

    def __init__(self) -> None:
        self._clients: dict[tuple[Place, str], Any] = {}
        self._sessions: dict[Place, Any] = {}
        self._lock = threading.Lock()

    def client(self, place: Place, service: str) -> Any:
        """A client; they may be shared by threads. Raises what `refusals.mapped` maps."""
        with self._lock:
            if (place, service) not in self._clients:
                session = self._sessions.get(place) or self._sessions.setdefault(place, _session(place))
                self._clients[place, service] = _made(session, place, service)
            return self._clients[place, service]

    def forget(self, place: Place) -> None:
        """What was refused is not tried again with the same credentials: they may have been renewed."""
        with self._lock:
            self._sessions.pop(place, None)
            self._clients = {key: client for key, client in self._clients.items() if key[0] != place}


def _session(place: Place) -> Any:
    """With the credentials of the role, where one is to be assumed; they renew themselves."""
    from botocore import credentials
    from botocore.session import Session

    session: Any = Session()
    if not place.role:
        return session
    source = session.get_credentials()
    if source is None:
        raise NotAllowed(Code.TARGET_DENIED, f"there are no credentials here to assume {place.role} with")
    more = {"RoleSessionName": "fairlead", **({"ExternalId": place.external_id} if place.external_id else {})}
    fetcher = credentials.AssumeRoleCredentialFetcher(
        partial(_made, session, place), source_credentials=source, role_arn=place.role, extra_args=more
    )
    assumed: Any = Session()
    assumed._credentials = credentials.DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return assumed


def _made(session: Any, place: Place, service: str, **credentials: Any) -> Any:
    from botocore.config import Config

    retries: Mapping[str, Any] = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)  # type: ignore[arg-type]
    return session.create_client(
        service, region_name=place.region, endpoint_url=place.url(service), config=config, **credentials
    )
