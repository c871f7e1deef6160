"""Exports: statements, records and events as JSON lines, CSV and Arrow tables, invoice items at
Stripe, bodies over HTTP.
"""
