"""Targets that are Docker engines, reached over a local unix socket."""

from agents.docker_host.host import DockerHost

__all__ = ["DockerHost"]
