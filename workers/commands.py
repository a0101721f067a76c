"""The commands that start processes; they join the `fairlead` command by entry point and import what they run only when they run."""

from pathlib import Path
from typing import Annotated

import typer

Port = Annotated[int | None, typer.Option(help="A loopback port; 0 is any free one, none is the usual one.")]


def register(app: typer.Typer) -> None:
    """Add `dev`, `demo`, `serve api|worker` and `db upgrade|first-key`."""
    app.command("dev")(dev)
    app.command("demo")(demo)
    serve = typer.Typer(no_args_is_help=True, help="Run one part of the system, as settings FAIRLEAD_* say.")
    serve.command("api")(serve_api)
    serve.command("worker")(serve_worker)
    app.add_typer(serve, name="serve")
    db = typer.Typer(no_args_is_help=True, help="The database schema.")
    db.command("upgrade")(upgrade)
    db.command("first-key")(first_key)
    app.add_typer(db, name="db")


def dev(
    data: Annotated[Path | None, typer.Option(help="Where everything is kept (default: FAIRLEAD_DATA).")] = None,
    port: Port = None,
    temporal_port: Port = None,
    ui_port: Port = None,
) -> None:
    """Run the whole system on this machine, in the foreground: Postgres, Temporal with its Web UI, a worker and the API."""
    from workers.dev import Ports, run
    from workers.settings import Settings

    run(data or Settings().data, Ports.choose(port, temporal_port, ui_port), lambda line: typer.echo(line, err=True))


def demo() -> None:
    """Play the main job, end to end, on real targets."""
    from workers.demo.__main__ import main

    raise typer.Exit(main())


def serve_api() -> None:
    """Answer HTTP."""
    from workers.api_server import main

    main()


def serve_worker() -> None:
    """Run workflows and activities."""
    from workers.worker import main

    main()


def upgrade() -> None:
    """Bring the schema to its newest revision, as the owner role (FAIRLEAD_OWNER_URL)."""
    from fairlead.store.database import migrate
    from workers.settings import Settings

    migrate(Settings().owner_url)
    typer.echo("the schema is up to date", err=True)


def first_key() -> None:
    """Make a bearer key that may do everything, for whoever holds the database; print it once."""
    from fairlead.commands.keys import bootstrap_key
    from fairlead.store.database import Database
    from workers.clock import now
    from workers.settings import Settings

    typer.echo(bootstrap_key(Database(Settings().database_url), now=now()).secret)
