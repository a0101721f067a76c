"""Targets of type winrm_host: services on Windows hosts, reached over WinRM."""
