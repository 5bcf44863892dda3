"""Trained heads as files that run without ordbench."""
