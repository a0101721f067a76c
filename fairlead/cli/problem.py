"""What the server refused, or that there was none."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fairlead.cli import exits
from fairlead.domain.codes import Code
from fairlead.domain.errors import FairleadError

if TYPE_CHECKING:
    import httpx


@dataclass(eq=False)  # not frozen: whoever lets it pass writes its traceback
class Problem(Exception):
    """A problem document, or one of our own errors in the same shape. `code` may be one that we do not know yet."""

    status: int
    code: str
    detail: str
    hint: str | None = None
    errors: tuple[dict[str, Any], ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, response: "httpx.Response") -> "Problem":
        """From an answer that is no success; whatever stands between us and the server may have sent it."""
        try:
            document = response.json()
            return cls(
                status=response.status_code,
                code=str(document["code"]),
                detail=str(document["detail"]),
                hint=document.get("hint"),
                errors=tuple(document.get("errors", ())),
                fields=document.get("fields", {}),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls(
                502, str(Code.SERVER_UNREACHABLE), f"{response.url} answered {response.status_code}, and not as we do"
            )

    @classmethod
    def unreachable(cls, url: str, reason: str) -> "Problem":
        """No answer at all."""
        return cls(
            503,
            str(Code.SERVER_UNREACHABLE),
            f"{url} cannot be reached: {reason}",
            "FAIRLEAD_URL; is `fairlead dev` running?",
        )

    @classmethod
    def from_error(cls, error: FairleadError) -> "Problem":
        """From an error of ours."""
        flaws = tuple(
            {"code": str(f.code), "detail": f.detail, "pointer": f.pointer, "line": f.line, "column": f.column}
            for f in error.flaws
        )
        return cls(error.status, str(error.code), error.detail, error.hint, flaws, dict(error.fields))

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return exits.TIMED_OUT if self.code == Code.TIMED_OUT else exits.of_status(self.status)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        known = {
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "hint": self.hint,
            "errors": list(self.errors),
            "fields": self.fields,
        }
        return {name: value for name, value in known.items() if value}
