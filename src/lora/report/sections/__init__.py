"""One module per part of the report; each turns facts of a `Study` into Markdown."""
