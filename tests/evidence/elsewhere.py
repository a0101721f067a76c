"""The program of a machine that is not ours: runs the command line with whatever would reach out made impossible.

Run as a script with the command's arguments. What it must not do ends it with `UNWANTED` and a word about it.
"""

import os
import sys
from importlib.abc import MetaPathFinder
from typing import Any

UNWANTED = 70
MODULES = frozenset(
    {
        *("temporalio", "sqlalchemy", "sqlmodel", "alembic", "psycopg", "fastapi", "uvicorn", "grpc"),
        *(
            "httpx",
            "httpcore",
            "requests",
            "urllib3",
            "docker",
            "boto3",
            "botocore",
            "hvac",
            "paramiko",
            "nomad",
            "pypsrp",
        ),
        *("http.client", "urllib.request", "ssl", "asyncio"),
        *("fairlead.store", "fairlead.commands", "fairlead.adapters", "fairlead.cli.client"),
        *("api", "activities", "agents", "workflows"),
    }
)
EVENTS = frozenset(
    {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.exec"}
)


class Hook(MetaPathFinder):
    """Lets nobody import a server's parts."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """Say nothing, or end it."""
        if fullname in MODULES:
            end(f"import of {fullname}")


def end(what: str) -> None:
    """No exception: somebody may catch it."""
    os.write(2, f"unwanted: {what}\n".encode())
    os._exit(UNWANTED)


def audit(event: str, args: tuple[Any, ...]) -> None:
    """Neither the network nor another program, nor a change of a file."""
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if event in EVENTS or writes:
        end(f"{event} {args!r:.100}")


if __name__ == "__main__":
    sys.meta_path.insert(0, Hook())
    from fairlead.cli.main import main

    sys.addaudithook(audit)
    sys.argv[0] = "fairlead"
    main()
