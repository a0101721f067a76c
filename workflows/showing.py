"""What operators see of a workflow in the Temporal Web UI: search attributes and current details."""

from collections.abc import Sequence
from typing import Final

from temporalio import workflow
from temporalio.common import SearchAttributeKey

from fairlead.contracts import names
from fairlead.domain.verdict import Verdict

PROJECT: Final = SearchAttributeKey.for_keyword(names.ATTRIBUTE_PROJECT)
ENVIRONMENT: Final = SearchAttributeKey.for_keyword(names.ATTRIBUTE_ENVIRONMENT)
RELEASE: Final = SearchAttributeKey.for_keyword(names.ATTRIBUTE_RELEASE)
STATE: Final = SearchAttributeKey.for_keyword(names.ATTRIBUTE_STATE)


def introduce(project: str, environment: str, release: str | None = None) -> None:
    """Say what a workflow is about."""
    about = [PROJECT.value_set(project), ENVIRONMENT.value_set(environment)]
    workflow.upsert_search_attributes([*about, RELEASE.value_set(release)] if release else about)


def show_state(state: str, headline: str, lines: Sequence[str] = ()) -> None:
    """Say how it stands."""
    workflow.upsert_search_attributes([STATE.value_set(state)])
    show_details(headline, lines)


def show_details(headline: str, lines: Sequence[str] = ()) -> None:
    """Say it in words, as Markdown."""
    workflow.set_current_details("\n".join([headline, *(f"- {line}" for line in lines)]))


def told(verdicts: Sequence[Verdict]) -> list[str]:
    """Verdicts in words."""
    return [f"`{v.gate}` {v.decision}: {v.message}" for v in verdicts]
