"""Records to tables: grouping, ranking, notes and formats."""
