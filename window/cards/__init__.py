"""Cards over the window: help, more buttons, the corrections, files read, files to open or to save."""
