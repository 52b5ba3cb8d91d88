"""Documents that are written from the code: `python -m checks.docs` compares them, `--write` writes them."""
