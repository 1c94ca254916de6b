"""Documents and pictures for people: the summary, what is published of it, and the plots. Judges nothing."""
