"""The published comparison that this project repeats.

Piotr Migdał and Rafał Jakubanis, 'Keras vs. PyTorch: Alien vs. Predator recognition with transfer learning', 2018:
one unseeded training run each, 200 validation images.
"""

ACCURACY = {"keras": 0.885, "torch": 0.920}
DIFFERENCE = ACCURACY["torch"] - ACCURACY["keras"]
