"""What is measured, each by a command: `python -m benchmarks.NAME`; with `--record`, results/NAME.json."""
