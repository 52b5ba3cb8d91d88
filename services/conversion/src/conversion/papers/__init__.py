"""The hunter's working papers: the plan of a meeting, the plan of a negotiation. Each file is one stream."""
