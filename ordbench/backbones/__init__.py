"""The backbones that come with ordbench: one library, one file."""
