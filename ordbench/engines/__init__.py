"""Where cells are trained: this machine, or a Ray cluster."""
