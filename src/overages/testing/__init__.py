"""For tests: Hypothesis strategies of every value, and the contract of repositories."""
