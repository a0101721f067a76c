"""Targets that are Nomad jobs, reached over Nomad's HTTP API."""

from agents.nomad_job.host import NomadJob

__all__ = ["NomadJob"]
