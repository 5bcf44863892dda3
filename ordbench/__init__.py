"""ordbench: ordinal-regression heads, compared fairly on one backbone interface."""
