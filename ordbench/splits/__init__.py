"""Which images train, validate and test."""
