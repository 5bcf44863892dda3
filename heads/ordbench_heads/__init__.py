"""The heads that come with ordbench: one method, one file."""
