"""The page itself: a template, a style sheet and plain scripts, which need no build step and no network."""
