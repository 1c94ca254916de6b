"""Pictures of the facts, deterministic as PNG and SVG; the only part of the report that imports matplotlib."""
