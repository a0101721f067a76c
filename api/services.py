"""What the API is given by whoever starts it; it builds nothing itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from api.temporal import Orchestrator
from fairlead.ports import Artifacts, Images, NoSecrets, Secrets, Signer
from fairlead.store.artifacts import PostgresArtifacts
from fairlead.store.database import Database
from fairlead.store.waiting import Wakeups


@dataclass(frozen=True, slots=True)
class Services:
    """The collaborators of the API.

    `orchestrator`: `api.temporal.TemporalOrchestrator(client)`; a client from `Client.connect(..., lazy=True)` connects when first needed.
    `decision` and `ledger` sign; `agents` maps the names of agents to their keys (for the trust file). `now` answers aware UTC times.
    """

    database: Database
    wakeups: Wakeups
    orchestrator: Orchestrator
    images: Images
    decision: Signer
    ledger: Signer
    now: Callable[[], datetime]
    agents: Mapping[str, Signer] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=NoSecrets)
    artifacts: Artifacts | None = None

    @property
    def kept(self) -> Artifacts:
        """Where the files that were sent are kept: beside everything else, unless it was said otherwise."""
        return self.artifacts or PostgresArtifacts(self.database)
