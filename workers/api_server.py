"""The API process: uvicorn around the application."""

import asyncio
import logging

import uvicorn

from api.app import create_app
from workers.settings import Settings
from workers.shadow import refuse_shadowed
from workers.wiring import build_services, connect


async def serve(settings: Settings) -> None:
    """Answer HTTP until SIGINT or SIGTERM. Temporal and the database may come up later."""
    services = build_services(settings, await connect(settings, lazy=True))
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
        services.wakeups.close()
        services.database.dispose()


def main() -> None:
    """Run this process as an API server, as its settings say."""
    logging.basicConfig(level=logging.INFO, format="api %(levelname)s %(name)s: %(message)s")
    refuse_shadowed()
    asyncio.run(serve(Settings()))


if __name__ == "__main__":
    main()
