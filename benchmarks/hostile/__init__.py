"""What fuzz.py feeds: valid and nasty inputs of every kind, and the ways to damage them."""
