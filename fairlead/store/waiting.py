"""Waking up on new events: NOTIFY is only the hint, what counts is read again by sequence."""


class Wakeups:
    """One listening connection for all waiters of a process (API long polls and event streams)."""

    def __init__(self, url: str) -> None:
        raise NotImplementedError

    async def wait(self, subject: str, after: int, timeout: float) -> bool:
        """Wait until the subject has an event after `after`, at most `timeout` seconds; whether it has."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop listening."""
        raise NotImplementedError


def wait_for_event(url: str, subject: str, after: int, timeout: float) -> bool:
    """Block until the subject has an event after `after`, at most `timeout` seconds; whether it has. One connection of its own."""
    raise NotImplementedError
