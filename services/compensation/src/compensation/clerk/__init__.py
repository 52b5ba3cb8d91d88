"""What compensation keeps at hand and does by itself: the facts ready for the fold, conflicts found, months closed."""
