"""The commands of the command line, one module each, and the parts that they share."""
