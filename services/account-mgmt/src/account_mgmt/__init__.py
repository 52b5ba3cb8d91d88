"""Station 3: farmers keep the customer buying."""
