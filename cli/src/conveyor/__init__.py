"""The command line of Conveyor."""
