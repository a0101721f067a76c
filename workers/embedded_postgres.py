"""Runs the PostgreSQL that comes as a wheel, as an unprivileged user, in a folder of its own."""

from pathlib import Path


class EmbeddedPostgres:
    """A cluster in `folder` (made if missing, 0700): roles fairlead_owner and fairlead_app, database fairlead."""

    def __init__(self, folder: Path, *, port: int | None = None, durable: bool = True) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Make the cluster if there is none, and have it running and accepting connections; adopts one that still runs."""
        raise NotImplementedError

    def stop(self) -> None:
        """Shut down fast."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        raise NotImplementedError

    @property
    def owner_url(self) -> str:
        """URL for migrations."""
        raise NotImplementedError

    @property
    def app_url(self) -> str:
        """URL for everything else."""
        raise NotImplementedError
