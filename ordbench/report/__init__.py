"""Published pages, made of records."""
