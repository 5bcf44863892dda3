"""Plug-ins by name: what is installed, chosen and typed."""
