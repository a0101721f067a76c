"""Where secrets lie, a module for each scheme; `places` finds the one that a reference names (ports.Secrets)."""
