"""Which packages a framework's folder imports beside those that all use."""

from versus.params import Framework

PACKAGES: dict[Framework, tuple[str, ...]] = {"keras": ("keras", "tensorflow"), "torch": ("torch", "torchvision")}
