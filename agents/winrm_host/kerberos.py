"""Who we are for one connection, and what goes wrong with that. A ticket that a password got is in memory only, under a name of its own.

So logins do not see each other, nothing is on a disk, and the ticket goes when the connection does: the library's own login would leave one
behind in memory each time. The library in C finds KDCs by the krb5.conf of the worker, and a ticket that lies with it by KRB5CCNAME.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from spnego import KerberosCCache, Password
from spnego.exceptions import ContextExpiredError, CredentialsExpiredError, NoCredentialError

from agents.winrm_host.outcomes import Denied, NotStarted
from fairlead.domain.codes import Code
from fairlead.domain.errors import Refused
from fairlead.domain.target_kinds import winrm_host as kind

_BASE: Final = -1765328384
"""Where MIT's numbers begin. The first 128 of them are the protocol's own (RFC 4120), the others those of the library."""
_CODES: Final = {
    7: Code.WINRM_SERVICE_UNKNOWN,
    29: Code.WINRM_KDC_UNREACHABLE,  # it says itself that it cannot just now
    154: Code.WINRM_KDC_UNREACHABLE,  # none is known of the realm, or not found by DNS
    156: Code.WINRM_KDC_UNREACHABLE,
    33: Code.WINRM_CLOCK_SKEW,  # the ticket is one of the future
    37: Code.WINRM_CLOCK_SKEW,
    143: Code.WINRM_CLOCK_SKEW,  # the same, as seen from here
    32: Code.WINRM_KERBEROS_MISSING,  # the ticket has expired
    136: Code.WINRM_KERBEROS_MISSING,  # krb5.conf cannot be read
    141: Code.WINRM_KERBEROS_MISSING,  # no ticket
    195: Code.WINRM_KERBEROS_MISSING,
    224: Code.WINRM_KERBEROS_MISSING,  # the user is of no realm, and krb5.conf names none
}


@dataclass(frozen=True, slots=True)
class Login:
    """What the library is to log in with. `forget` when it is no longer needed."""

    username: Any
    password: str | None = None
    forget: Callable[[], None] = lambda: None


def libraries() -> ModuleType | None:
    """What Kerberos takes, where all of it is installed."""
    try:
        import_module("gssapi")
        return import_module("krb5")
    except ImportError:
        return None


def require() -> None:
    """Raises Refused (winrm_kerberos_missing)."""
    if libraries() is None:
        raise Refused(
            Code.WINRM_KERBEROS_MISSING,
            "the worker has no Kerberos libraries",
            hint="install fairlead[kerberos] with it, or use auth: ntlm",
        )


def log_in(auth: str, user: str, password: str | None, peer: object) -> Login:
    """Get a ticket, where the password is to get one. Raises NotStarted and Denied."""
    krb5 = libraries() if auth in (kind.KERBEROS, kind.NEGOTIATE) else None
    if krb5 is None or password is None:
        return Login(user or None, password)
    if auth == kind.KERBEROS:
        return _by_ticket(krb5, user, password, peer)
    return _by_either(krb5, user, password)


def _by_ticket(krb5: ModuleType, user: str, password: str, peer: object) -> Login:
    ticket = None
    try:
        ticket = _Ticket(krb5)
        ticket.get(user, password)
    except krb5.Krb5Error as error:
        if ticket:
            ticket.forget()
        raise failed(peer, error) from error
    return Login(KerberosCCache(ticket.name), forget=ticket.forget)


def _by_either(krb5: ModuleType, user: str, password: str) -> Login:
    """A cache that stays empty keeps the library from asking the KDC once more. A Windows domain in front of a name is no realm."""
    try:
        ticket = _Ticket(krb5)
    except krb5.Krb5Error:
        return Login(user, password)
    if "\\" not in user:
        with contextlib.suppress(krb5.Krb5Error):
            ticket.get(user, password)
    return Login([KerberosCCache(ticket.name), Password(user, password)], forget=ticket.forget)


def failed(peer: object, error: Exception) -> NotStarted | Denied:
    """What an error of Kerberos means, by its number. Only a KDC that is away comes back by itself."""
    code = _code(error)
    outcome = NotStarted if code is Code.WINRM_KDC_UNREACHABLE else Denied
    return outcome(code, f"no way into {peer}: {error!s:.300}")


class _Ticket:
    """A cache of tickets in memory, empty at first."""

    def __init__(self, krb5: ModuleType) -> None:
        self._krb5, self._context = krb5, krb5.init_context()
        self._cache = krb5.cc_new_unique(self._context, b"MEMORY")
        self.name = f"MEMORY:{self._cache.name.decode()}"

    def get(self, user: str, password: str) -> None:
        """Ask the KDC of the user's realm."""
        krb5, context = self._krb5, self._context
        wish = krb5.get_init_creds_opt_alloc(context)
        krb5.get_init_creds_opt_set_canonicalize(wish, True)
        principal = krb5.parse_name_flags(context, user.encode())
        granted = krb5.get_init_creds_password(context, principal, wish, password=password.encode())
        krb5.cc_initialize(context, self._cache, granted.client)
        krb5.cc_store_cred(context, self._cache, granted)

    def forget(self) -> None:
        """Once is enough."""
        cache, self._cache = self._cache, None
        if cache is not None:
            with contextlib.suppress(self._krb5.Krb5Error):
                self._krb5.cc_destroy(self._context, cache)


def _code(error: Exception) -> Code:
    if isinstance(error, NoCredentialError | CredentialsExpiredError | ContextExpiredError):
        return Code.WINRM_KERBEROS_MISSING
    below = getattr(error, "base_error", None)  # of GSSAPI, which counts without a sign
    number = getattr(error, "err_code", None) or getattr(below, "min_code", None) or 0
    return _CODES.get((number - _BASE) % 2**32, Code.WINRM_CREDENTIALS_REFUSED)
