"""LoRA tuning diagnostics: why the word error rate of a tuned speech recogniser stays flat or gets worse."""
