"""What training pictures are made of."""
