# The two commands of the README, and the rest of what a person or CI asks for. `make help` lists them.
VENV ?= .venv
PYTHON ?= python3
CORES ?= all
JOBS ?= auto
# A CPU-only build of torch, where the default build would install GPU libraries:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
BIN := $(VENV)/bin
SNAKEMAKE = "$(BIN)/snakemake" --cores $(CORES)
export PATH := $(abspath $(BIN)):$(PATH)
# What a run names to listen to its results.
export LORA_LISTEN_COMMAND := make listen

.PHONY: help run sweep quick test test-slow test-lowest test-newest test-gpu test-image test-slurm faults field wild kills fuzz bench calibrate plan report listen gate study fresh format lint

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(VENV)/installed ## diagnose the study of config.yaml and print the verdict
	@$(SNAKEMAKE)

plan: $(VENV)/installed ## list what a run would do, and which file or key makes it necessary
	@"$(BIN)/python" scripts/plan.py --cores $(CORES)

quick: $(VENV)/installed ## compare two files of transcripts in seconds, without a model (ARGS='--manifest ... --baseline ... --tuned ...')
	@"$(BIN)/python" -m lora.runners.quick $(or $(ARGS),--help)

gate: $(VENV)/installed ## as run, but fail unless the study is ready for the sweep
	@$(SNAKEMAKE) gate

sweep: $(VENV)/installed ## train the sweep of config.yaml once the gate is ready, and decide its hypotheses
	@$(SNAKEMAKE) sweep

report: $(VENV)/installed ## results/report/index.html, the full report, and results/report.html, with the provenance of every file
	@$(SNAKEMAKE) report
	@"$(BIN)/snakemake" --cores 1 --report results/report.html

listen: $(VENV)/installed ## results/listen/index.html: listen to what went wrong, compare runs word by word, review references
	@$(SNAKEMAKE) listen

SIDE_BY_SIDE = --numprocesses $(JOBS) --maxprocesses 8 --dist worksteal
test: $(VENV)/installed-test ## every test except the slow ones, JOBS processes side by side
	@"$(BIN)/python" -m pytest $(SIDE_BY_SIDE) --durations 20

test-slow: $(VENV)/installed-test ## the slow tests
	@"$(BIN)/python" -m pytest -m slow

# In new environments of their own, with uv, which can choose the lowest or the newest versions of ranges, and keeps what is
# installed already: TORCH=2.13.0 has pip install that release first, where uv would fetch a build with GPU libraries.
TORCH ?=
TESTS ?= tests/unit tests/workflow/test_determinism.py
RANGES = $(VENV)-$(RESOLUTION)
UV = VIRTUAL_ENV="$(RANGES)" "$(RANGES)/bin/uv" pip install --quiet
test-lowest: RESOLUTION = lowest-direct
test-lowest: ## the unit tests and a small study with the lowest versions that pyproject.toml allows (or TESTS='...')
test-newest: RESOLUTION = highest
test-newest: ## the same with the newest versions, which a new user's pip installs
test-lowest test-newest:
	@$(PYTHON) -m venv --clear "$(RANGES)"
	@"$(RANGES)/bin/pip" install --quiet uv
	@$(if $(TORCH),"$(RANGES)/bin/pip" install --quiet $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)") torch==$(TORCH))
	@$(UV) --resolution $(RESOLUTION) -r pyproject.toml
	@grep -hv '^-r' requirements-bench.txt requirements-test.txt | $(UV) -r -
	@$(UV) --no-deps -e .
	@"$(RANGES)/bin/python" -m pytest $(SIDE_BY_SIDE) $(TESTS)

test-gpu: $(VENV)/installed-test ## the tests that need an NVIDIA GPU (skipped without one)
	@"$(BIN)/python" -m pytest -m gpu -rs

test-image: $(VENV)/installed-test ## build the container image and run a study in it (needs docker, podman or buildah)
	@"$(BIN)/python" -m pytest -m image -rs

test-slurm: $(VENV)/installed-test ## run studies on a Slurm of one node, started for them (needs root; ARGS='-k NAME')
	@"$(BIN)/pip" install --quiet -r requirements-slurm.txt
	@"$(BIN)/python" -m pytest -m slow -rs tests/workflow/test_slurm.py $(ARGS)

faults: $(VENV)/installed-test ## plant every fault and check the verdicts (about an hour; ARGS='--only WORD')
	@OMP_NUM_THREADS=1 PYTHONPATH=tests "$(BIN)/python" tests/faults/bench.py $(or $(ARGS),--page docs/faults.md)

field: $(VENV)/installed-test ## rebuild reported situations and check what is found (ARGS='--only WORD')
	@OMP_NUM_THREADS=1 PYTHONPATH=tests:tests/faults:tests/wild "$(BIN)/python" tests/field/field_bench.py $(or $(ARGS),--page docs/field.md)

wild: $(VENV)/installed-test ## diagnose a real Whisper on real speech, and plant faults (about two hours; skipped without the recordings, WILD=...)
	@PYTHONPATH=tests:tests/faults:tests/field "$(BIN)/python" tests/wild/wild_bench.py $(or $(ARGS),--page docs/real-models.md)

kills: $(VENV)/installed-test ## kill studies at random moments, and compare the results with undisturbed ones (about a quarter of an hour; ARGS='--kills N --seed N')
	@OMP_NUM_THREADS=1 PYTHONPATH=tests "$(BIN)/python" tests/reliability/kills.py $(or $(ARGS),--page docs/reliability.md)

fuzz: $(VENV)/installed-test ## damage files of every kind, and check that only what is damaged is lost (ARGS='--seed N --files N')
	@OMP_NUM_THREADS=1 "$(BIN)/python" tests/reliability/fuzz.py $(or $(ARGS),--page docs/reliability.md)

bench: $(VENV)/installed-test ## measure speed against the usual alternatives (about three quarters of an hour; ARGS='--only NAME')
	@"$(BIN)/python" benchmarks/run.py --page docs/benchmarks.md $(ARGS)

calibrate: $(VENV)/installed ## simulate comparisons of recipes and publish their error rates (about 5 minutes; ARGS='--only NAME')
	@"$(BIN)/python" benchmarks/calibrate_recipes.py --page docs/methods.md $(ARGS)

lint: $(VENV)/installed-test ## check format, lint and types of Python and Snakemake files
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/ruff" check .
	@"$(BIN)/mypy"
	@"$(BIN)/snakefmt" --check Snakefile rules
	@"$(BIN)/snakemake" --lint

format: $(VENV)/installed-test ## format Python and Snakemake files
	@"$(BIN)/ruff" format . && "$(BIN)/ruff" check --fix . && "$(BIN)/snakefmt" Snakefile rules

study: $(VENV)/installed ## regenerate the embedded study's speech, model and manifests (about an hour)
	@"$(BIN)/pip" install --quiet -r requirements-study.txt
	@"$(BIN)/python" data/recipe/make_study.py

fresh: ## delete everything computed (results/, work/)
	rm -rf results work

$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; choose one with make PYTHON=...")'
	@test -x "$(BIN)/python" || $(PYTHON) -m venv "$(VENV)"
	@echo "installing into $(VENV) (once; a few minutes)"
	@$(if $(TORCH_INDEX),"$(BIN)/pip" install --quiet --index-url "$(TORCH_INDEX)" torch==2.13.0)
	@"$(BIN)/pip" install --quiet -r requirements.txt
	@"$(BIN)/pip" install --quiet --no-deps -e .
	@touch "$@"

$(VENV)/installed-test: $(VENV)/installed requirements-test.txt requirements-bench.txt
	@"$(BIN)/pip" install --quiet -r requirements-test.txt
	@touch "$@"
