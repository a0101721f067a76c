"""Alembic revisions, each plain SQL that can be read from top to bottom. History is never rewritten."""
