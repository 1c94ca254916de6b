"""Documents and pictures for people: the page in the plan document, the report, notes, plots. Judges nothing."""
