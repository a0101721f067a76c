"""`target discover`: what other tools know of hosts and clusters run, as a piece of a catalogue to be read by a person. It applies nothing."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairlead.cli import targets
from fairlead.cli.output import JsonOption, print_json, say
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

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


@app.command("ecs")
def ecs(
    cluster: Annotated[str, typer.Argument(help="The cluster whose services are meant.")] = "default",
    region: Annotated[str, typer.Option("--region", envvar="AWS_REGION", help="Its region.")] = "",
    endpoint: Annotated[str, typer.Option("--endpoint", help="Where ECS answers, if not at AWS's own address.")] = "",
    json: JsonOption = False,
) -> None:
    """The services of a cluster of Amazon ECS, by the usual AWS credentials."""
    from fairlead.adapters import clusters

    if not (endpoint or region):
        raise BadInput(Code.MISSING_FIELD, "neither a region nor an endpoint is said", hint="--region eu-west-1")
    where = endpoint or f"https://ecs.{region}.amazonaws.com"
    _tell(clusters.ecs_services(where, region, cluster), json=json)


@app.command("nomad")
def nomad(
    endpoint: Annotated[str, typer.Option("--endpoint", envvar="NOMAD_ADDR")] = "http://127.0.0.1:4646",
    namespace: Annotated[
        str, typer.Option("--namespace", envvar="NOMAD_NAMESPACE", help="`*`: all that may be seen.")
    ] = "default",
    json: JsonOption = False,
) -> None:
    """The jobs of a Nomad cluster; NOMAD_TOKEN, NOMAD_CACERT, NOMAD_CLIENT_CERT and NOMAD_CLIENT_KEY are what they are to `nomad`."""
    from fairlead.adapters import clusters

    said = {field: os.environ.get(name, "") for field, name in _NOMAD.items()}
    _tell(clusters.nomad_jobs(clusters.NomadAccess(endpoint, namespace, **said)), json=json)


_NOMAD = {"token": "NOMAD_TOKEN", "ca": "NOMAD_CACERT", "certificate": "NOMAD_CLIENT_CERT", "key": "NOMAD_CLIENT_KEY"}


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
