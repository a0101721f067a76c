"""A double of Nomad's HTTP API, for want of a Nomad that could be had here. It is a double: nothing in it is Nomad.

Made from recordings of Nomad 2.0.6-dev; tests/agents/test_nomad_recordings.py puts some of them to it again. One server, one
node, tasks that are played (played.py): they listen and answer, but no image is run; what has a command runs that, as a process of this
machine. It has what the executor of Nomad jobs calls; it has no event stream, no scaling, no ACL policies beyond tokens that may read or write,
and no auto_revert. Batch jobs are in none of the recordings: of them it has what Nomad's documentation says and hooks need, no deployment, and
a task that ends with 0 is complete and not started again. What is scaled: Nomad's own waiting (batching, check intervals, restart and
reschedule delays) is divided by `delays`, its deadlines by `deadlines`.
"""

from tests.doubles.nomad_double.played import Play
from tests.doubles.nomad_double.server import NomadDouble, Right

__all__ = ["NomadDouble", "Play", "Right"]
