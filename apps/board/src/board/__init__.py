"""The face of Conveyor: pages for the people on the line, built from outside, on what everybody may read."""
