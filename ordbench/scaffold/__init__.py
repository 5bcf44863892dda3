"""New packages for plug-ins, from templates."""
