"""Postgres: tables in schema `release`, queries that take a Session and answer contracts.records, and the migrations."""
