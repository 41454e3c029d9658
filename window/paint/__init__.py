"""The canvas program: drawing, reading on show, actions, layout, painting, worker."""
