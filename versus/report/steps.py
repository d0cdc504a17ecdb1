"""The seven steps of the article of 2018, and which code of the two frameworks says each."""

from typing import NamedTuple

from versus.params import Framework
from versus.report import code
from versus.report.code import Exhibit

NETWORKS = {"efficientnet_lite0": ("efficientnet_lite0", "_lite0_block", "_convolve"),
            "resnet50": ("resnet50", "_resnet50_block", "_convolve_padded", "_convolve")}


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
    return [
        Step("Prepare the data", "Both frameworks read the same files: neither takes part in this step. Files that "
             "cannot be used are listed, near-duplicates are kept together, and leaks are taken out.", []),
        Step("Import the frameworks", "Each is set up so that the same run gives the same bytes again.",
             [code.imports(frameworks), *code.exhibits(frameworks, {"runtime.py": ("start",)})]),
        Step("Create the data generators", "Batches of pixels for the network. How a file becomes pixels is a "
             "convention: below is what each framework's default makes of the same images with the same random "
             "numbers.",
             code.exhibits(frameworks, {"features.py": ("Batches", "_ErrorsAsItems", "_read", "_workers")})),
        Step("Create the network", "A network trained on ImageNet stays as it is; a new head of two dense layers is "
             "put on it.", code.exhibits(frameworks, {"networks.py": NETWORKS[backbone],
                                                      "backbone.py": ("Backbone", "build", "network"),
                                                      "head.py": ("build",)})),
        Step("Train the model", "The frozen network computes the features of each view of each image once; the head is "
             "trained on them with Adam, once for each seed.",
             code.exhibits(frameworks, {"features.py": ("Extractor", "_compile", "apply"),
                                        "head.py": ("ADAMS", "Trainer")})),
        Step("Save and load the model", "The whole classifier, from pixels to probabilities, is saved, and loaded "
             "again by another process.", code.exhibits(frameworks, {"classifier.py": ("assemble", "save", "load")})),
        Step("Make predictions", "The loaded classifiers predict images that they were not trained on; these "
             "predictions, and nothing else, are compared.",
             code.exhibits(frameworks, {"classifier.py": ("Classifier",), "head.py": ("Head",)})),
    ]
