"""Pay: facts from every station, turned into statements that explain themselves."""
