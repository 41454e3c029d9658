"""How networks are trained: recipe, loop, run, resume, folders, fine-tuning."""
