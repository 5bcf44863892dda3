"""One run: what it is, what it needs, how it is done, and what it leaves behind."""
