"""The API process: uvicorn around the application."""

import asyncio
import logging

import uvicorn
from temporalio.client import Client

from api.app import create_app
from api.services import Services
from api.temporal import TemporalOrchestrator
from fairlead.ports import Secrets
from fairlead.store.database import Database
from fairlead.store.waiting import Wakeups
from workers.access import connect, open_keys
from workers.artifact_places import open_artifacts
from workers.clock import now
from workers.image_places import open_images
from workers.secret_places import open_secrets
from workers.settings import Settings
from workers.shadow import refuse_shadowed


def build_services(settings: Settings, client: Client, secrets: Secrets) -> Services:
    """What the API works with."""
    keys = open_keys(settings)
    database = Database(settings.database_url)
    return Services(
        database=database,
        wakeups=Wakeups(settings.database_url),
        orchestrator=TemporalOrchestrator(client),
        images=open_images(settings),
        decision=keys.decision,
        ledger=keys.ledger,
        now=now,
        agents={settings.agent: keys.agent},
        secrets=secrets,
        artifacts=open_artifacts(settings, database),
    )


async def serve(settings: Settings) -> None:
    """Answer HTTP until SIGINT or SIGTERM. Temporal and the database may come up later."""
    secrets = open_secrets(settings)
    services = build_services(settings, await connect(settings, lazy=True), secrets)
    config = uvicorn.Config(
        create_app(services),
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=3,
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        secrets.close()
        services.wakeups.close()
        services.database.dispose()


def main() -> None:
    """Run this process as an API server, as its settings say."""
    logging.basicConfig(level=logging.INFO, format="api %(levelname)s %(name)s: %(message)s")
    refuse_shadowed()
    asyncio.run(serve(Settings()))


if __name__ == "__main__":
    main()
