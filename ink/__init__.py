"""Any picture or strokes -> ink -> lines -> pieces -> frames. No torch, and nothing of ours from outside."""
