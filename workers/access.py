"""What every process of ours needs: the server's signing keys, and a Temporal client."""

from dataclasses import dataclass

from temporalio.client import Client

from fairlead.adapters.signer import FileSigner
from fairlead.domain.codes import Code
from fairlead.domain.errors import Unavailable
from fairlead.ports import Signer
from workers.plugin import build_plugin
from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Keys:
    """The server's signing keys (interface.md 6): `agent` is the worker's own."""

    decision: Signer
    ledger: Signer
    agent: Signer


def open_keys(settings: Settings) -> Keys:
    """The keys in the data folder, made on the first start."""
    decision, ledger, agent = (
        FileSigner.load_or_create(settings.keys / f"{name}.pem") for name in ("decision", "ledger", "agent")
    )
    return Keys(decision=decision, ledger=ledger, agent=agent)


async def connect(settings: Settings, *, lazy: bool = False) -> Client:
    """A Temporal client with our plugin; `lazy` connects when first used. Raises Unavailable (temporal_unavailable)."""
    try:
        return await Client.connect(
            settings.temporal_address, namespace=settings.temporal_namespace, plugins=[build_plugin()], lazy=lazy
        )
    except RuntimeError as error:  # all that the SDK says of a connection it could not make
        raise Unavailable(Code.TEMPORAL_UNAVAILABLE, f"no Temporal answers at {settings.temporal_address}") from error
