"""Waiting, in a task that must outlive a native cancel request."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow


async def wait_until(
    condition: Callable[[], bool], *, timeout: timedelta | None = None, summary: str | None = None
) -> None:
    """Return when the condition holds, the time is up, or a native cancel has come: look again at what is so."""
    try:
        await workflow.wait_condition(condition, timeout=timeout, timeout_summary=summary)
    except TimeoutError:
        return
    except asyncio.CancelledError:
        # The SDK lets a cancel request end waits of any task; without a request it is an eviction.
        if workflow.cancellation_reason() is None:
            raise


class Bell:
    """Remembers that it rang since it was last quieted: quiet it, look, then wait for it, and nothing is missed."""

    def __init__(self) -> None:
        self.rung = False

    def ring(self) -> None:
        """Something has changed."""
        self.rung = True

    def quiet(self) -> None:
        """From here on, what rings is new."""
        self.rung = False


class Shield:
    """Lets a native cancel request reach a story, in a task of its own, as a fact and not as an exception.

    `cancelled`: Temporal was asked; `told`: somebody else asked.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self.told = False

    @property
    def stopping(self) -> bool:
        """Whether to stop, whoever asked."""
        return self.cancelled or self.told

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds, noting a native cancel request; only for the workflow's main task."""
        while not condition():
            try:
                await workflow.wait_condition(condition)
            except asyncio.CancelledError:
                self.cancelled = True
