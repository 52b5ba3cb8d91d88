"""The documents as a site: `python -m checks.site build`. The Markdown stays what it is, readable where it lies."""
