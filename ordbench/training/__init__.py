"""From features to a trained head: batches, steps, selection, tuning."""
