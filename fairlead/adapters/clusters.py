"""What clusters run, as targets of a catalogue: the services of ECS, the jobs of Nomad. They are only read."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fairlead.adapters.discovery import Discovery, Said, block, discovery
from fairlead.domain.catalogue import TargetType
from fairlead.domain.codes import Code
from fairlead.domain.errors import NotAllowed, NotFound, Unavailable

OURS: Final = "fairlead.target"
"""The tag of a service, and the word in a job's meta, by which ours are known."""
_AT_ONCE: Final = 10
"""How many services DescribeServices takes."""
_CARRIED: Final = (
    "launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration", "loadBalancers", "serviceRegistries",
    "healthCheckGracePeriodSeconds",
)  # fmt: skip
"""Of what DescribeServices says, that which CreateService would be told."""
_THROTTLED: Final = {"ThrottlingException", "RequestLimitExceeded"}
_TIMEOUT: Final = 30


@dataclass(frozen=True, slots=True)
class NomadAccess:
    """As Nomad's own command line is told by NOMAD_ADDR, NOMAD_TOKEN, NOMAD_CACERT, NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY.

    `token` is used and never printed: the targets name the variable it came from.
    """

    endpoint: str
    namespace: str = "default"
    token: str = field(default="", repr=False)
    ca: str = ""
    certificate: str = ""
    key: str = ""

    def options(self) -> dict[str, str]:
        """What the targets say of it."""
        files = {"ca": self.ca, "certificate": self.certificate, "key": self.key}
        said = {**files, "token": "env://NOMAD_TOKEN" if self.token else ""}
        return {name: value for name, value in said.items() if value}


def ecs_services(endpoint: str, region: str, cluster: str) -> Discovery:
    """The services of a cluster, by whatever credentials the usual chain finds.

    Raises NotFound (not_found: no such cluster), NotAllowed (target_denied), Unavailable (target_unreachable).
    """
    with _aws():
        import boto3  # slow to import, and most installations have no use for it

        ecs = boto3.session.Session(region_name=region or None).client("ecs", endpoint_url=endpoint)
        pages = ecs.get_paginator("list_services").paginate(cluster=cluster)
        arns = sorted(arn for page in pages for arn in page["serviceArns"])
        found: list[Mapping[str, Any]] = []
        for start in range(0, len(arns), _AT_ONCE):
            some = arns[start : start + _AT_ONCE]
            found += ecs.describe_services(cluster=cluster, services=some, include=["TAGS"])["services"]
    return discovery(_service(one, endpoint, region, cluster) for one in found)


def nomad_jobs(access: NomadAccess) -> Discovery:
    """The jobs of a namespace; `*`: of all that the token may see.

    Raises NotAllowed (target_denied), Unavailable (target_unreachable).
    """
    import requests
    from nomad import api  # type: ignore[import-untyped]

    with _nomad(access), contextlib.closing(requests.Session()) as session:
        session.trust_env = False  # neither proxies nor a .netrc
        jobs = api.Jobs(
            address=access.endpoint.rstrip("/"),
            namespace=access.namespace,
            token=access.token or None,
            timeout=_TIMEOUT,
            verify=access.ca or True,
            cert=(access.certificate, access.key) if access.certificate else None,
            session=session,
        )
        found = jobs.get_jobs(meta=True)
    return discovery(_job(one, access) for one in sorted(found, key=lambda job: str(job["ID"])))


def _service(said: Mapping[str, Any], endpoint: str, region: str, cluster: str) -> Said:
    options = {"cluster": cluster, "name": said["serviceName"], "region": region}
    service = {name: said[name] for name in _CARRIED if said.get(name)}
    made = {name: value for name, value in (options | {"service": service}).items() if value}
    return str(said["serviceName"]), block(TargetType.ECS_SERVICE, endpoint, "ecs", made), _unlike_ours(said)


def _unlike_ours(said: Mapping[str, Any]) -> str:
    """Why a service cannot be a target."""
    tags = {tag["key"]: tag["value"] for tag in said.get("tags", ())}
    controller = said.get("deploymentController", {}).get("type", "ECS")
    if OURS in tags:
        return f"it is the target {tags[OURS]} already"
    if said.get("status") != "ACTIVE":
        return f"it is {str(said.get('status')).lower()}"
    if controller != "ECS":
        return f"{controller} deploys it"
    return "it runs on every machine" if said.get("schedulingStrategy") == "DAEMON" else ""


def _job(said: Mapping[str, Any], access: NomadAccess) -> Said:
    space = str(said.get("Namespace") or "default")
    options = {**access.options(), "job": said["ID"], **({"namespace": space} if space != "default" else {})}
    return str(said["ID"]), block(TargetType.NOMAD_JOB, access.endpoint, "nomad", options), _no_service(said)


def _no_service(said: Mapping[str, Any]) -> str:
    """Why a job cannot be a target."""
    ours = (said.get("Meta") or {}).get(OURS)
    if ours:
        return f"it is the target {ours} already"
    if said.get("Stop"):
        return "it is stopped"
    if said.get("Type") != "service" or said.get("Periodic") or said.get("ParameterizedJob"):
        return "it is no service, so nothing tells when it is healthy"
    return ""


@contextlib.contextmanager
def _aws() -> Iterator[None]:
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "ClusterNotFoundException":
            raise NotFound(Code.NOT_FOUND, "there is no such cluster", hint="aws ecs list-clusters") from error
        if code not in _THROTTLED and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) < 500:
            raise NotAllowed(Code.TARGET_DENIED, f"AWS says {code}") from error
        raise Unavailable(Code.TARGET_UNREACHABLE, f"AWS says {code}") from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.NoRegionError) as error:
        raise NotAllowed(Code.TARGET_DENIED, str(error)) from error
    except exceptions.BotoCoreError as error:
        raise Unavailable(Code.TARGET_UNREACHABLE, f"AWS does not answer: {error}") from error


@contextlib.contextmanager
def _nomad(access: NomadAccess) -> Iterator[None]:
    from nomad.api.exceptions import BaseNomadException, URLNotAuthorizedNomadException  # type: ignore[import-untyped]

    try:
        yield
    except URLNotAuthorizedNomadException as error:
        raise NotAllowed(Code.TARGET_DENIED, f"{access.endpoint} does not let us see its jobs") from error
    except (BaseNomadException, OSError) as error:
        raise Unavailable(Code.TARGET_UNREACHABLE, f"{access.endpoint} does not answer: {error}") from error
