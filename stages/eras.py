"""Say which changed defaults moved a framework since 2018: python -m stages.eras keras_2018 keras_today.

Both competitors are the same framework with the defaults of another time. Their combinations are the whole evidence:
the first and the last of them are the two runs that are compared.
"""

import sys
from dataclasses import replace

from versus import params
from versus.artifacts import combinations, metrics
from versus.command import run
from versus.evaluation import explanation, scores
from versus.frameworks import competitor
from versus.images import units
from versus.report import console


def main(first, second):
    settings, pair = params.load(), (competitor(first), competitor(second))
    trained = combinations.read(f"data/combinations/{first}-{second}")
    design = trained.design
    members = units.read("data/split.csv", design.part, design.files)
    predictions = [replace(each, units=members) for each in trained.predictions]
    ends = predictions[0], predictions[-1]
    shares = explanation.explain(design.factors, predictions, *ends, settings.compare)
    shares = shares[~shares.kind.isin(["native", "residual"])]  # the combinations are the whole evidence
    summaries = [scores.summary(each, settings.compare) for each in ends]
    name = pair[0].framework
    metrics.write_table(f"metrics/eras/{name}.csv", shares)
    metrics.write_table(f"metrics/eras/{name}_waterfall.csv",
                        explanation.waterfall(shares, *ends, (pair[0].title, pair[1].title)))
    metrics.write(f"metrics/eras/{name}.json", {f"{score}_{each.era}{of}": summary[f"{score}{of}"]
                                                for each, summary in zip(pair, summaries)
                                                for score in explanation.METRICS for of in ("", "_sd")})
    console.show_eras(shares, summaries, pair)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
