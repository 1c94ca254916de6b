"""One module per part of the summary; each turns facts of a `Study` into Markdown."""
