"""The seven steps of the article of 2018, and which code of the two frameworks says each."""

from typing import NamedTuple

from versus.params import Framework
from versus.report import code
from versus.report.code import Exhibit

NETWORKS = {"efficientnet_lite0": ("efficientnet_lite0", "_lite0_block", "_convolve"),
            "resnet50": ("resnet50", "_resnet50_block", "_convolve_padded", "_convolve")}


STEPS = (
    ("Prepare the data", "Both frameworks read the same files: neither takes part in this step. Files that cannot be "
     "used are listed, near-duplicates are kept together, and leaks are taken out."),
    ("Import the frameworks", "Each is set up so that the same run gives the same bytes again."),
    ("Create the data generators", "Batches of pixels for the network. How a file becomes pixels is a convention: both "
     "are given the same images and the same random numbers, and each makes of them what its defaults say."),
    ("Create the network", "A network trained on ImageNet stays as it is; a new head of two dense layers is put on "
     "it."),
    ("Train the model", "The frozen network computes the features of each view of each image once; the head is trained "
     "on them with Adam, once for each seed."),
    ("Save and load the model", "The whole classifier, from pixels to probabilities, is saved, and loaded again."),
    ("Make predictions", "The loaded classifier predicts images that it was not trained on. Predictions, and nothing "
     "else, are compared."),
)  # titles, and what is done


class Step(NamedTuple):
    """One step: its title, what it does, and the code of both frameworks."""

    title: str
    text: str
    exhibits: list[Exhibit]

    @property
    def counts(self) -> tuple[int, int]:
        """Lines of code in each framework."""
        return sum(each.counts[0] for each in self.exhibits), sum(each.counts[1] for each in self.exhibits)


def steps(frameworks: tuple[Framework, Framework], backbone: str) -> list[Step]:
    """Describe the steps of a run with the given backbone."""
    parts: list[dict[str, tuple[str, ...]]] = [
        {},
        {"runtime.py": ("start",)},
        {"features.py": ("Batches",)},
        {"networks.py": NETWORKS[backbone], "backbone.py": ("Backbone", "build", "network"), "head.py": ("build",)},
        {"features.py": ("Extractor", "_compile", "apply", "_outputs"), "head.py": ("ADAMS", "Trainer")},
        {"classifier.py": ("assemble", "save", "load")},
        {"classifier.py": ("Classifier",), "head.py": ("Head",)},
    ]
    described = [Step(*words, code.exhibits(frameworks, own)) for words, own in zip(STEPS, parts, strict=True)]
    described[1].exhibits.insert(0, code.imports(frameworks))
    return described
