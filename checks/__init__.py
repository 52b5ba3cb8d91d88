"""What `make check` looks at. Every check is a command of its own and works offline."""
