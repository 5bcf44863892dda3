"""The datasets that come with ordbench: one dataset, one file."""
