"""What the pay office decides: periods, statements, conflicts, disputes, adjustments, payouts. One file per stream."""
