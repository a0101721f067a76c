"""`approve`, `reject` and `cancel`: signed at home, over the plan that will be carried out."""

import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli import clock, home
from fairlead.cli.output import JsonOption, print_json, say, short_digest
from fairlead.cli.promotions import Promotion
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import Conflict

if TYPE_CHECKING:
    from fairlead.cli.client import Api

Comment = Annotated[str, typer.Option(help="Why; signed with the vote.")]
Print = Annotated[bool, typer.Option("--print", help="Print the signed JSON instead of sending it.")]
Voter = Annotated[
    str | None,
    typer.Option("--as", metavar="SUBJECT", help="Whose signing key this is, if the catalogue cannot tell."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("cancel")(cancel)


def approve(
    promotion: Promotion, comment: Comment = "", print_: Print = False, voter: Voter = None, json: JsonOption = False
) -> None:
    """Sign a yes to a promotion's plan."""
    _vote(promotion, "approve", comment, print_only=print_, voter=voter, json=json)


def reject(
    promotion: Promotion, comment: Comment = "", print_: Print = False, voter: Voter = None, json: JsonOption = False
) -> None:
    """Sign a no: it ends the promotion."""
    _vote(promotion, "reject", comment, print_only=print_, voter=voter, json=json)


def cancel(
    promotion: Promotion,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    print_: Print = False,
    voter: Voter = None,
    json: JsonOption = False,
) -> None:
    """Cancel a promotion; with --print as signed JSON that anybody may send."""
    api = connect()
    if print_:
        print_json(_signed(api, promotion, "cancel", reason, voter))
        return
    answer = api.post(path("promotions", promotion, "cancel"), {"reason": reason})
    print_json(answer) if json else say(f"cancelled by {answer['actor']}")


def _vote(promotion: str, choice: str, comment: str, *, print_only: bool, voter: str | None, json: bool) -> None:
    api = connect()
    envelope = _signed(api, promotion, choice, comment, voter)
    if print_only:
        print_json(envelope)
        return
    answer = api.post(path("promotions", promotion, "votes"), envelope)
    print_json(answer) if json else say(
        f"{answer['choice']} by {answer['actor']} accepted ({short_digest(answer['digest'])})"
    )


def _signed(api: "Api", promotion: str, choice: str, comment: str, voter: str | None) -> dict[str, Any]:
    from fairlead.contracts.votes import Choice, VotePayload
    from fairlead.evidence.voting import sign_vote

    signer = home.signer()
    view = api.get(path("promotions", promotion))
    payload = VotePayload(
        project=view["project"],
        promotion=view["id"],
        release=view["release_digest"],
        environment=view["environment"],
        plan=_plan(api, view),
        choice=Choice(choice),
        comment=comment,
        voter=voter or _owner_of(signer.keyid, api, view["project"]),
        assurance="own_key",
        nonce=secrets.token_hex(16),
        time=clock.now(),
    )
    return sign_vote(signer, payload)


def _owner_of(keyid: str, api: "Api", project: str) -> str:
    """Whose signing key this is by the catalogue; if it is nobody's, the bearer key's owner, who is then told so."""
    prefix = "voter:"
    roles = [
        role
        for key in api.get(f"/projects/{project}/trust")["keys"]
        for role in key["roles"]
        if key["keyid"] == keyid and role.startswith(prefix)
    ]
    subject: str = roles[0].removeprefix(prefix) if roles else api.get("/whoami")["subject"]
    return subject


def _plan(api: "Api", view: Any) -> str:
    """The digest to sign, once the plan shown for it has been seen to have it: nobody signs what he could not read."""
    from fairlead.contracts.canonical import digest_of

    if view["plan"] is None:
        raise Conflict(Code.VOTES_NOT_OPEN, "there is no plan to vote on yet", hint=f"fairlead why {view['id']}")
    shown = api.get(f"/promotions/{view['id']}/plan")
    digest: str = view["plan"]
    if shown["digest"] != digest or digest_of(shown["plan"]) != digest:
        raise Conflict(
            Code.VOTE_WRONG_PLAN, "the plan has just changed, or is not what its digest says", hint="look again"
        )
    say(
        f"{view['release']} to {view['environment']}, plan {short_digest(digest)}, {len(shown['plan']['targets'])} targets"
    )
    return digest
