"""The way to an engine that an address names: a unix socket, or TCP, which is in the clear on this machine only."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from urllib.parse import urlsplit

from agents import certificates
from agents.docker_host.certificates import ours
from agents.docker_host.engine import Engine, connect
from agents.docker_host.labels import Address
from agents.docker_host.neighbourhood import Afar, Here
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput, Refused, Unavailable
from fairlead.domain.target_kinds.docker_host import PLAINTEXT, TLS
from fairlead.domain.target_kinds.fields import is_loopback

Opening = Callable[[Address], AbstractContextManager[Engine]]


@contextmanager
def reach(address: Address) -> Iterator[Engine]:
    """The engine. Raises Unavailable (target_unreachable) and Refused (plaintext_refused, and those about certificates)."""
    scheme = address.endpoint.partition(":")[0]
    if scheme == "unix":
        way = connect(address.endpoint)
    elif scheme == "tcp":
        way = _over_tcp(address)
    else:
        raise BadInput(Code.NOT_SUPPORTED_YET, f"nothing here leads to {address.endpoint}")
    with way as engine:
        yield engine


@contextmanager
def _over_tcp(address: Address) -> Iterator[Engine]:
    paths, near = address.options.get(TLS), is_loopback(address.endpoint)
    if not paths and not near:
        raise Refused(Code.PLAINTEXT_REFUSED, PLAINTEXT)
    host = Here() if near else Afar(urlsplit(address.endpoint).hostname or "")
    with ExitStack() as held:
        try:
            engine = held.enter_context(connect(address.endpoint, ours(paths) if paths else None, host))
        except Unavailable as error:
            why = certificates.why(address.endpoint, paths, "the engine") if paths else None
            if why is None:
                raise
            raise why from error
        yield engine
