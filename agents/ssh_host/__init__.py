"""Targets of type ssh_host: machines reached over SSH. Kept empty: what runs on such a machine imports it."""
