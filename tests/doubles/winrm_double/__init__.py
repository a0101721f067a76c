"""A double of a Windows host behind WinRM, for want of a Windows that could be had here. It is a double: nothing in it is Windows or PowerShell.

What is real: HTTP and HTTPS on a socket, NTLM, Kerberos and Negotiate by the server side of pyspnego with channel binding and sealed messages
(tickets by MIT's library from MIT's KDC, where both can be had: tests/fixtures/kerberos.py), Basic, client certificates, WSMan's envelopes and
faults, PSRP's fragments and messages (written with pypsrp's own serializer, so the two ends cannot disagree about that), against the unchanged
client library. What is imitated: our scripts, each by the name in its first line and by what it promises (imitations.py); no line of
PowerShell is ever run. The service manager is a model (windows.py), its services are played: they listen and answer HTTP, but no program
of an image is run; only hooks are, as scripts of this machine's shell (hooks.py). Files
lie in a folder that stands for drive C.

Once compared by hand with recordings of Windows that pypsrp's own tests carry: the same answers with the same elements, but for what the client
never reads (most of what is told of a shell, ActivityId).

It has no CredSSP, no JEA, no disconnected sessions, and knows no script but ours.
"""

from tests.doubles.winrm_double.server import Faults, Tls, WinrmDouble

__all__ = ["Faults", "Tls", "WinrmDouble"]
