"""Say what each convention contributes to the difference of two competitors: python -m stages.explain keras torch."""

import sys

from versus import params
from versus.artifacts import combinations, feature_cache, features, metrics, predictions_csv
from versus.artifacts.predictions import pair
from versus.command import run
from versus.evaluation import completeness, explanation
from versus.evaluation.completeness import Corner
from versus.frameworks import competitor
from versus.report import answer, results, sentences


def main(first, second):
    settings = params.load()
    one, other = (competitor(name).of_era(settings.conventions.era) for name in (first, second))
    titles = (one.title, other.title)
    natives = pair(*(predictions_csv.read(f"data/predictions/{name}.csv") for name in (first, second)), titles)
    trained = combinations.read(f"data/combinations/{first}-{second}")
    design, predictions = trained.design, trained.of_pair((first, second), natives[0])
    same_seeds = [native.first_seeds(len(predictions[0].seeds)) for native in natives]  # so that the shares add up
    shares = explanation.explain(design.factors, predictions, *same_seeds, settings.compare)

    differences = sentences.other_differences(settings, titles)
    corners = zip((first, second), (design.entries[0], design.entries[-1]), (predictions[0], predictions[-1]),
                  same_seeds)
    judged = None if differences else completeness.judge(tuple(
        corner(f"data/feature_cache/{first}-{second}", settings.train.epochs, *each) for each in corners))
    metrics.write("metrics/details/explain.json", {
        "one": first, "other": second, "era": settings.conventions.era, "part": design.part,
        "images": len(design.files), "completeness": sentences.completeness(judged, titles, differences)})
    metrics.write_table("metrics/details/explain.csv", shares)
    metrics.write_table("metrics/plots/waterfall.csv", explanation.waterfall(shares, *same_seeds, titles))
    answer.write(answer.of_explanation(shares, sentences.complete(judged)))
    results.show_explanation()


def corner(cache, epochs, name, entry, computed, native):
    """What is computed twice, with all of a competitor's defaults: for the combinations, and by its native run."""
    own = features.read(f"data/features/{name}").last_pass(epochs)
    same_pixels = feature_cache.pixels(cache, entry) == feature_cache.digest(own.pixels)
    return Corner((feature_cache.read(cache, entry), own), same_pixels, (computed, native))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
