"""Speech models with one interface, one family per file. `table` lists them and imports no torch."""
