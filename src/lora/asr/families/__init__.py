"""Speech models behind one interface, one family per file; `table` lists them and needs no torch."""
