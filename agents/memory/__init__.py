"""An executor whose targets live in memory: the semantics of the real ones, a journal to check and switches to make it fail."""

from agents.memory.host import MemoryHost
from agents.memory.world import Entry, Instance, Place, World

__all__ = ["MemoryHost", "World", "Place", "Instance", "Entry"]
