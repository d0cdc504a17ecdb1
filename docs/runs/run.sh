#!/usr/bin/env bash
# Repeat the runs whose metrics stand in this folder and in the tables of docs/, about an hour on two cores:
#     bash docs/runs/run.sh ../shared/avp && make docs
# The argument is the folder with Alien vs. Predator's images, {train,validation}/{alien,predator}/*.
set -euo pipefail
images=${1:?the folder with the images}
cd "$(dirname "$0")/../.."
git diff --quiet -- params.yaml dvc.lock eras metrics || {
    echo "ERROR: got changes of params.yaml, dvc.lock, eras or metrics; expected none: commit or undo them first" >&2
    exit 1
}
trap 'git checkout --quiet -- params.yaml dvc.lock eras metrics && dvc checkout --quiet --force' EXIT

run() {  # name, stages (all if empty), changes of params.yaml
    local name=$1 stages=$2
    shift 2
    local settings=(-S data.source=folder -S "data.folder=$images")
    for change in "$@"; do settings+=(-S "$change"); done
    # shellcheck disable=SC2086
    dvc exp run $stages "${settings[@]}"
    mkdir -p "docs/runs/$name"
    if [[ $stages == splits ]]; then
        cp metrics/details/splits.json "docs/runs/$name/"
        git checkout --quiet -- params.yaml
        return
    fi
    if [[ $stages == eras/* ]]; then
        cp metrics/eras/* "docs/runs/$name/"
        git checkout --quiet -- params.yaml
        return
    fi
    cp metrics/details/{split,keras,torch,compare}.json "docs/runs/$name/"
    for file in metrics/details/parity.json metrics/details/explain.json metrics/details/explain.csv \
            metrics/plots/waterfall.csv; do
        if [[ -z $stages || $stages == *$(basename "${file%%.*}" | sed s/waterfall/explain/)* ]]; then
            cp "$file" "docs/runs/$name/"
        fi
    done
    git checkout --quiet -- params.yaml
}

run avp-2018 "" conventions.era=2018
run avp-native ""
run avp-eras "eras/dvc.yaml:eras_keras eras/dvc.yaml:eras_torch"
run avp-keras "evaluate parity compare" conventions.all=keras
run avp-torch "evaluate parity compare" conventions.all=torch
run avp-planted "" conventions.all=keras conventions.batch_norm=native
run avp-keras-float32-20x30 "evaluate parity compare" conventions.all=keras train.seeds=20 train.epochs=30
run avp-torch-float32-20x30 "evaluate parity compare" conventions.all=torch train.seeds=20 train.epochs=30
run avp-keras-float64 "evaluate parity compare" conventions.all=keras train.precision=float64
run avp-torch-float64 "evaluate parity compare" conventions.all=torch train.precision=float64
run avp-40-seeds "evaluate compare explain" train.seeds=40
for seed in 1 2 3; do
    run "avp-views-$seed" "evaluate compare" "extract.seed=$seed"
    run "avp-2018-views-$seed" "evaluate compare" conventions.era=2018 "extract.seed=$seed"
done
run avp-splits splits compare.splits=5
run avp-2018-splits splits compare.splits=5 conventions.era=2018
