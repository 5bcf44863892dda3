"""Prompts through a frozen text tower: layout, encoders, and the heads built on them."""
