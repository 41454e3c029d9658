"""Labelled pictures, measures, and every figure that is plotted."""
