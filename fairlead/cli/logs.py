"""`logs`: the last lines of what runs on a target, or of the tasks of a promotion or deployment."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairlead.cli.output import JsonOption, print_json, say, tell
from fairlead.cli.problem import Problem
from fairlead.cli.session import connect, path
from fairlead.domain.codes import Code
from fairlead.domain.errors import BadInput

if TYPE_CHECKING:
    from fairlead.cli.client import Api

FOLLOW_SECONDS = 1.0


def register(app: typer.Typer) -> None:
    """Add the commands of this subject."""
    app.command("logs")(logs)


def logs(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[TARGET|PROMOTION]", help="A target; or a promotion, or a prefix of its id."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Argument(
            metavar="[COMPONENT|TARGET]", help="Of the target this component; of the promotion this target."
        ),
    ] = None,
    promotion: Annotated[str | None, typer.Option(metavar="ID", help="What was kept of its tasks.")] = None,
    deployment: Annotated[str | None, typer.Option(metavar="ID", help="The same of one deployment.")] = None,
    lines: Annotated[int, typer.Option(min=1, max=1000, help="How many of the last lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    json: JsonOption = False,
) -> None:
    """Show what applications printed last, with secrets masked: live from a target, or kept of tasks that started or failed."""
    asked = [each for each in (promotion, deployment) if each]
    if len(asked) > 1 or not (asked or what) or (asked and part) or (follow and json):
        raise BadInput(
            Code.BAD_REQUEST,
            "name a target, a promotion, or one of --promotion and --deployment; --follow prints lines, no JSON",
        )
    source = _Source(connect(), lines, what, part, promotion, deployment)
    answer = source.read()
    if json:
        print_json(answer)
        return
    _warn(answer)
    shown = _print(answer["items"], {})
    while follow:
        time.sleep(FOLLOW_SECONDS)
        shown = _print(source.read()["items"], shown)


class _Source:
    """Where the lines come from. A name alone is a target's or, where there is no such target, a promotion's."""

    def __init__(
        self,
        api: "Api",
        lines: int,
        what: str | None,
        part: str | None,
        promotion: str | None,
        deployment: str | None,
    ) -> None:
        self._api, self._lines = api, lines
        self._name = what if not (promotion or deployment) else None
        self._part = part if self._name else what
        self._place = f"/promotions{path(promotion)}" if promotion else ""
        self._place = f"/deployments{path(deployment)}" if deployment else self._place

    def read(self) -> Any:
        """What is there now."""
        if self._place:
            return self._api.get(f"{self._place}/logs", target=self._part, lines=self._lines)
        name = self._name or ""
        target = self._api.project + path("targets", name, "logs")
        try:
            return self._api.get(target, component=self._part, lines=self._lines)
        except Problem as problem:
            if problem.code != Code.TARGET_NOT_FOUND:
                raise
            return self._of_promotion(name, problem)

    def _of_promotion(self, name: str, no_target: Problem) -> Any:
        self._place = f"/promotions{path(name)}"
        try:
            return self.read()
        except Problem as problem:
            if problem.code == Code.PROMOTION_NOT_FOUND:
                raise no_target from None
            raise


def _warn(answer: Any) -> None:
    if answer.get("state") == "unavailable":
        say(f"unavailable: {answer['detail'] or answer['code']}; what follows was kept before")


Shown = dict[tuple[str, str, str], list[str]]


def _print(items: Sequence[Any], before: Shown) -> Shown:
    """Print the lines that have come since; where several speak, each line says who."""
    now: Shown = {(i["deployment"], i["target"], i["component"]): list(i["lines"]) for i in items}
    for key, lines in now.items():
        head = f"{key[1]} {key[2]} | " if len(now) > 1 else ""
        for line in fresh(before.get(key, []), lines):
            tell(head + line)
    return now


def fresh(old: Sequence[str], new: Sequence[str]) -> Sequence[str]:
    """What of the new window came after the old one: the old one's end is the new one's beginning."""
    for start in range(len(old) + 1):
        rest = old[start:]
        if list(new[: len(rest)]) == list(rest):
            return new[len(rest) :]
    return new
