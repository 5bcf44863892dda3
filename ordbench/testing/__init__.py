"""Checks that plug-ins must pass, for their own tests: `heads`, `datasets` and `backbones`."""
