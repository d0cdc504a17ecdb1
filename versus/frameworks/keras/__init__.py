"""Keras (on TensorFlow)."""
