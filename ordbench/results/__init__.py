"""Records on disk: written, read, indexed, checked, merged and compared."""
