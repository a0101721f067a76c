"""Fairlead: a release control plane for containers that do not run on Kubernetes."""

__version__ = "0.1.0"
