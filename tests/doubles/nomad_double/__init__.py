"""A double of Nomad's HTTP API, for want of a Nomad that could be had here. It is a double: nothing in it is Nomad.

Made from recordings of Nomad 2.0.6-dev; tests/agents/test_nomad_recordings.py puts some of them to it again. One server, one
node, tasks that are played (played.py): they listen and answer, but no image is run; what has a command runs that, as a process of this
machine. It has what the executor of Nomad jobs calls; it has no event stream, no ACL policies beyond tokens that may read or write,
and no auto_revert. A batch job has no deployment; one that has ended is `dead`. It never loses what a task prints right before its end, which
Nomad may, its node has one address, of which each port is there once, and what
is stopping there has let go of its ports already. What is scaled: Nomad's own waiting (batching, check intervals, restart and
reschedule delays) is divided by `delays`, its deadlines by `deadlines`.
"""

from tests.doubles.nomad_double.played import Play
from tests.doubles.nomad_double.server import NomadDouble, Right

__all__ = ["NomadDouble", "Play", "Right"]
