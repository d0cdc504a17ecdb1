"""What a newcomer may not know, in a line each: shown in the report where the term appears."""

TERMS = {
    "seed": "the number from which a training run draws its initial weights and the order of the images; other seeds "
            "show how much of a result is chance.",
    "95 % interval": "computed from other images and other seeds of the same kind, 95 of 100 such intervals would hold "
                     "the true value; if one holds zero, no difference is shown.",
    "log loss": "punishes confident mistakes: minus the logarithm of the probability given to the true class, "
                "averaged; 0 is perfect, less is better.",
    "McNemar's test": "asks whether two classifiers differ, from the images that only one of them gets right; its "
                      "p-value is how often chance alone makes a difference as large.",
    "p": "the probability of a difference at least as large if there were none; below 0.05 it is called significant.",
    "ROC AUC": "the probability that an image of a class gets a higher score for it than one of another class; 0.5 is "
               "chance, 1 is perfect.",
    "Brier": "the mean squared error of the probabilities; 0 is perfect.",
    "calibration": "whether probabilities mean what they say: of images classified with 80 % confidence, 80 % should "
                   "be right. ECE is the mean gap (in brackets: what chance alone makes of it), overconfidence the gap "
                   "with its sign.",
    "Shapley share": "the effect of one convention, averaged over all orders in which the conventions can be switched "
                     "from one framework's default to the other's, so that the shares add up to the whole difference.",
    "convention": "a default on which the two frameworks differ although the recipe reads the same.",
    "batch norm": "layers that scale what passes through them by a mean and a variance: those of the current batch, or "
                  "stored ones.",
    "transfer learning": "a network trained on a million other photographs stays as it is (frozen); only a small new "
                         "head, which names the classes, is trained.",
    "augmentation": "training images are randomly sheared, enlarged and mirrored, so that the classifier does not "
                    "learn them by heart.",
    "learning curve": "loss or accuracy after each epoch, one pass over the training images.",
    "confusion": "how many images of each actual class were called what; those on the diagonal are right.",
    "leak": "the same or nearly the same image in training and validation, which makes a classifier look better than "
            "it is.",
    "parity": "with every convention equal, the two frameworks should compute the same numbers up to rounding.",
    "independent": "images that are nearly the same, or belong together, count as one: they do not tell more than one.",
    "heads alone": "the head trained in both frameworks on the same features: what the training of the head adds.",
    "margin": "a difference in accuracy that is smaller than this does not matter to you; the parameter compare.margin "
              "sets it.",
    "native runs": "the difference between the two runs that this report is about, each with its own conventions.",
    "not explained": "what the sum of the shares leaves of that difference.",
    "exact": "the other default changes no bit of any prediction, so there is nothing to estimate.",
    "MD5": "a fingerprint of a file: equal ones mean equal bytes.",
}
