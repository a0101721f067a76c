"""Targets on which the team's own compose file runs: one Compose project on one Docker engine."""

from agents.compose_host.host import ComposeHost

__all__ = ["ComposeHost"]
