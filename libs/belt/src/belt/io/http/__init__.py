"""The doors: who comes in, with what, and what is answered."""
