"""A seeded company works three months: who it is, what happens to its clients, who earned what, and what must hold."""
