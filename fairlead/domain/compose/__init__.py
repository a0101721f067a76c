"""Compose files as templates: what is safe in them, and how one becomes a lock that says everything and leaves nothing to the machine."""
