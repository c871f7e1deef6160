"""A repository in the transactions of the frameworks that hosts use, and in their processes."""
