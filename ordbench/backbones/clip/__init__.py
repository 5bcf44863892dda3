"""CLIP models of open_clip: image tower, text tower, and the embedded tiny one."""
