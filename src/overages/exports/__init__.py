"""What goes out: statements as JSON and CSV."""
