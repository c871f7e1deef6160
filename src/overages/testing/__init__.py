"""Strategies of Hypothesis for tests of billing: this project's and its users'."""
