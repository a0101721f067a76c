"""`target discover`: what other tools know of hosts, as a piece of a catalogue to be read by a person. It applies nothing."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairlead.cli import targets
from fairlead.cli.output import JsonOption, print_json, say

if TYPE_CHECKING:
    from fairlead.adapters.discovery import Discovery

app = typer.Typer(no_args_is_help=True, help="Print targets that other tools know of, to put into a catalogue.")


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    targets.app.add_typer(app, name="discover")


@app.command("docker")
def docker(
    folder: Annotated[
        Path | None, typer.Option("--config", help="Docker's folder; else DOCKER_CONFIG or ~/.docker.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """The contexts of Docker's command line."""
    from fairlead.adapters import discovery

    _tell(discovery.docker_contexts(folder or discovery.docker_folder()), json=json)


@app.command("ssh")
def ssh(
    config: Annotated[Path | None, typer.Option("--config", help="Else ~/.ssh/config.")] = None,
    json: JsonOption = False,
) -> None:
    """The hosts of an SSH configuration."""
    from fairlead.adapters import discovery

    _tell(discovery.ssh_hosts(config or Path.home() / ".ssh" / "config"), json=json)


def _tell(found: "Discovery", *, json: bool) -> None:
    if json:
        print_json(asdict(found))
        return
    import yaml

    blocks = {target.name: dict(target.block) for target in found.targets}
    typer.echo(yaml.safe_dump({"targets": blocks}, sort_keys=False, width=120), nl=False)
    for target in found.targets:
        for why in target.unfit:
            say(f"{target.name}: {why}")
    for name, why in found.passed_over.items():
        say(f"{name} is passed over: {why}")
