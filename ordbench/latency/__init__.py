"""How long heads take, and what they cost."""
