"""Predictions to numbers; knows no framework."""
