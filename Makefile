export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: check format test pins

check:  ## what must be green before every commit
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format:
	ruff format .
	ruff check --fix .

test:  ## all tests, four at a time; then those that want the machine for themselves
	pytest -q -n 4 --dist loadscope -m 'not quiet'
	pytest -q -m quiet

pins:  ## the versions that are tested, for every Python and platform; holds no address
	uv pip compile --universal --upgrade --no-annotate --no-header --no-emit-index-url --python-version 3.11 \
	  --all-extras pyproject.toml -o constraints.txt
