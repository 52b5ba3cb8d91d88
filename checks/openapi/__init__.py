"""The OpenAPI documents as a promise: linted by a public linter, and compared with the released ones."""
