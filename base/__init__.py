"""Files, checkpoints, devices, and how commands end."""
