"""Insight: what will be due, before it is.

- `limits`: what is left of a limit
"""
