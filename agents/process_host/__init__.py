"""Targets of type process_host: supervised processes on this host. Kept empty: the supervisor imports it."""
