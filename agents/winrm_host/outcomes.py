"""What can become of a script that is to run on a host. Exactly one of four, where it did not just answer.

NotStarted      it did not run, and may be asked for again
Denied          it did not run: we are not let in
RemoteError     it ran and failed there, by its own word
OutcomeUnknown  it was sent; whether it ran, and how far, nobody can say from here
"""

from fairlead.domain.codes import Code


class Outcome(Exception):
    """`code` and `detail` as they will stand in the error."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class NotStarted(Outcome):
    """It did not run."""


class Denied(Outcome):
    """We are not let in, or the host is not whom we know."""


class RemoteError(Outcome):
    """It failed there."""


class OutcomeUnknown(Outcome):
    """It was sent."""
