"""The faults of an input, as a list that a test can read."""

from overages.errors import OveragesError


def told(error: OveragesError) -> str:
    """Count the faults that an error gathers, and list them one to a line."""
    return "\n".join([f"{len(error.errors)} problems:", *(f"- {one}" for one in error.errors)])
