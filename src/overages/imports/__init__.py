"""Imports: plans from TOML or a billing table, usage events from CSV and Arrow tables."""
