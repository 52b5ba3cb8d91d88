"""Station 1: scouts find clients and their needs; and who works where."""
