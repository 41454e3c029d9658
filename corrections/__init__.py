"""What the user said: kept as files, consulted by likeness."""
