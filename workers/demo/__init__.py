"""The demo: the main job, end to end, on real targets, checked against the targets (interface.md 1)."""
