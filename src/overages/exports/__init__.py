"""Exports: statements as JSON, CSV and Arrow tables, invoice items at Stripe, bodies over HTTP."""
