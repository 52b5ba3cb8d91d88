"""The pages: each a few routes that ask, and a template that shows what was told."""
