"""What comes in from files: plans from TOML, usage events from CSV."""
