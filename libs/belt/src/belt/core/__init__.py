"""The pure half of the belt: deciders, folds, calendars, handovers. No I/O, no clock, no framework."""
