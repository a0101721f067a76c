"""Our certificate on the way to an engine, as the library takes it."""

from collections.abc import Mapping

import docker

from agents.certificates import require_usable


def ours(paths: Mapping[str, str]) -> docker.TLSConfig:
    """What the library takes. Raises Refused (certificate_refused, certificate_expired)."""
    require_usable(paths)
    return docker.TLSConfig(client_cert=(paths["certificate"], paths["key"]), ca_cert=paths["ca"], verify=True)
