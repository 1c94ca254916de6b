"""Names of the files and folders in the folder of a trained adapter."""

FACTS, LOSS, BEST, LAST = "train.json", "loss.tsv", "best", "last"
EVALUATIONS, IN_RUN = "evaluations.tsv", "in_run"  # table and folder of evaluations while training
