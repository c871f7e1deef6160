"""Repositories: in memory, and in SQLite."""
