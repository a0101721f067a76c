"""Who listens on this host's TCP ports."""

from collections.abc import Iterable

import psutil

from agents.process_host.processes import family


def foreign_listeners(port: int, leaders: Iterable[int]) -> set[int | None]:
    """Processes that listen on a port and do not belong to these leaders; None stands for one that we may not see."""
    return _listeners(port) - family(leaders)


def is_served_by(port: int, leader: int) -> bool:
    """Whether this leader or one of its family listens on the port."""
    return bool(_listeners(port) & family([leader]))


def _listeners(port: int) -> set[int | None]:
    return {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
    }
