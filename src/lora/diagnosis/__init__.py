"""The diagnosis: pure functions from result files and thresholds to checks, causes and the verdict.

Only this package judges; it imports neither torch nor the packages that compute facts, so every decision is tested
from fact files alone. Start with `verdict`: it reads `facts`, runs the judges (`data`, `headroom`, `labels`,
`training`, `adapter`, `outcomes`, `parity`), which return codes and numbers (`findings`), and lets `wording` put them
into sentences. `checks` and `causes` are the tables of all check ids and cause codes. `data.max_seconds` decides during
a run which rows to train on.
"""
