"""Loopback ports: whether one is served, and which to take."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def choose_port(wanted: int | None, preferred: int, held: list[socket.socket]) -> int:
    """The port asked for; without one the preferred, if it is free. 0 is any free one.

    For as long as what is added to `held` lives, the kernel gives the port to nobody else, while whoever names it may listen on it.
    """
    for port in [preferred, 0] if wanted is None else [wanted]:
        if (bound := _bind(port)) is not None:
            held.append(bound)
            return int(bound.getsockname()[1])
    return preferred if wanted is None else wanted


def _bind(port: int) -> socket.socket | None:
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        probe.close()
        return None
    return probe


def free_port() -> int:
    """One that nobody has just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
