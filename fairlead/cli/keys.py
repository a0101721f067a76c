"""`keys`: a person's signing key, made and kept at home, and bearer keys for the API."""

from typing import Annotated

import typer

from fairlead.cli import home
from fairlead.cli.output import JsonOption, print_json, print_table, say, when
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict

app = typer.Typer(no_args_is_help=True, help="Signing keys at home, bearer keys on the server.")


def register(root: typer.Typer) -> None:
    """Add the commands of this subject."""
    root.add_typer(app, name="keys")


@app.command("new")
def new(
    subject: Annotated[
        str | None, typer.Option("--api", metavar="SUBJECT", help="Make a bearer key for SUBJECT instead (admin).")
    ] = None,
    scope: Annotated[str, typer.Option(help="Of a bearer key: member or admin.")] = "member",
    json: JsonOption = False,
) -> None:
    """Make a signing key at home; its public half goes into `people` of the catalogue."""
    if subject is None:
        _new_signing_key(json=json)
    else:
        _new_bearer_key(subject, scope, json=json)


@app.command("list")
def show_list(json: JsonOption = False) -> None:
    """Whose bearer keys there are (admin)."""
    api = connect()
    answer = api.get(f"{api.project}/keys")
    if json:
        print_json(answer)
        return
    rows = [
        (k["id"], k["subject"], k["scope"], when(k["created_at"]), when(k["expires_at"]), when(k["revoked_at"]))
        for k in answer["items"]
    ]
    print_table(("id", "subject", "scope", "created", "expires", "revoked"), rows)


@app.command("revoke")
def revoke(id: Annotated[str, typer.Argument(help="As `keys list` shows it.")], json: JsonOption = False) -> None:
    """End a bearer key for good (admin)."""
    api = connect()
    answer = api.delete(api.project + path("keys", id))
    print_json(answer) if json else say(f"key {answer['id']} of {answer['subject']} is revoked")


def _new_signing_key(*, json: bool) -> None:
    from fairlead.adapters.signer import FileSigner

    path = home.key_path()
    if path.exists():
        raise Conflict(
            Code.KEY_EXISTS,
            f"there is a signing key in {path}",
            hint="move it away first; retired keys still prove old votes",
        )
    signer = FileSigner.load_or_create(path)
    if json:
        print_json({"keyid": signer.keyid, "public_key": signer.public_pem, "path": str(path)})
        return
    typer.echo(signer.public_pem, nl=False)
    typer.echo(f"keyid {signer.keyid}")
    say(f"kept in {path}; add the public key to `people` in the catalogue")


def _new_bearer_key(subject: str, scope: str, *, json: bool) -> None:
    api = connect()
    made = api.post(f"{api.project}/keys", {"subject": subject, "scope": scope})
    if json:
        print_json(made)
        return
    typer.echo(made["key"])
    say(f"bearer key {made['id']} of {subject}, scope {scope}; it is shown only now")
