"""The listening page: every evaluated row with its audio, reference and hypotheses, in one folder."""
