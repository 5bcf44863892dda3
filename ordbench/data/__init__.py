"""Datasets on disk: where they lie, how they are fetched, and how images are read."""
