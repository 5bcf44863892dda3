"""How the pictures of drawn-faces are made."""
