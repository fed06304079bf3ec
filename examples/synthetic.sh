#!/bin/sh
# The paper's synthetic study: which models find the true sources, and do better fits find them better?
#   sh examples/synthetic.sh FOLDER    CORES=2 STEPS=70000 SEEDS=1-10 SIZES="100 200 500 1000 2000"
# It takes hours. Stop or kill it at any time: the same command goes on where it was.
set -eu
out=${1:-synthetic}
cores=${CORES:-2}
steps=${STEPS:-70000}
seeds=${SEEDS:-1-10}
sizes=${SIZES:-100 200 500 1000 2000}
mkdir -p "$out"
cd "$out"

run() { # shows a command as it can be copied, then runs it; a seed that fails (5) stops no other
    printf '\n$ %s\n' "$1"
    eval "$1" || test $? -eq 5
}

each_size() { # runs a command for the data set of each size, named DATA in it
    for size in $sizes; do
        run "$(printf '%s' "$1" | sed "s/DATA/tcl-$size/g")"
    done
}

score() { # compares what there is with the true sources, and draws it
    each_size "idkit embed runs/DATA-*/model.safetensors --data DATA.npz -q"
    run "idkit mcc runs/*/latents.npz tcl-*-inverse.npz --to sources -o sources.npz --force"
    run "idkit plot box sources.npz -o box.png --force"
    run "idkit plot elbo sources.npz runs/tcl-*-vade-*/model.safetensors -o elbo.png --force"
}

# Data sets that differ in the rows of each of their 20 segments, and the inverse of their mixing:
# the ceiling.
for size in $sizes; do
    test -e "tcl-$size.npz" ||
        run "idkit synth tcl --per-segment $size --layers 4 --name tcl-$size --seed 1 -o tcl-$size.npz"
    test -e "tcl-$size-inverse.npz" ||
        run "idkit synth unmixed --from tcl-$size.npz -o tcl-$size-inverse.npz"
done

# What can be had without learning: the floors.
for model in identity pca; do
    each_size "idkit train --data DATA.npz --model $model --seed 1"
done
for model in ica untrained; do
    each_size "idkit train --data DATA.npz --model $model --seed $seeds --threads $cores"
done

# The models of the paper.
for model in vade ivae vae; do
    each_size "idkit train --data DATA.npz --model $model --seed $seeds --steps $steps --threads $cores"
done
score

# Flows last, since they take longest.
each_size "idkit train --data DATA.npz --model gmmflow --seed $seeds --steps $steps --threads $cores"
score

# Are the differences real? A cell is a seed on a data set; cells of a data set form a block.
run "idkit mcc runs/*-vade-*/latents.npz runs/*-ivae-*/latents.npz runs/*-vae-*/latents.npz \
runs/*-gmmflow-*/latents.npz --to sources --pairs > pairs.tsv"
run "idkit wilcoxon pairs.tsv --pair data,seed_a --block data -o tests.npz --force"

echo
echo "Runs are in $PWD/runs, scores in sources.npz, tests in tests.npz, figures in box.png elbo.png"
