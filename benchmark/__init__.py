"""Measurements of time and memory: nothing here is part of the pipeline."""
