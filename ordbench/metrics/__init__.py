"""From predictions to scores: decoding and formulas."""
