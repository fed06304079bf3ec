#!/bin/sh
# Are digits learnt the same way each time? The main job of idkit, on real images.
#   sh examples/demo.sh FOLDER          CORES=2 EPOCHS=40 STEPS=3000 by default
set -eu
out=${1:-demo}
cores=${CORES:-2}
epochs=${EPOCHS:-40}
steps=${STEPS:-3000}
mkdir -p "$out"
cd "$out"

run() { # shows a command as it can be copied, then runs it
    printf '\n$ %s\n' "$1"
    eval "$1"
}

# Train three families five times each on the 1,797 embedded digits, with two latent sizes.
for model in vae ivae vade; do
    for dz in 10 20; do
        run "idkit train --data digits --model $model --dz $dz --seed 1-5 --epochs $epochs --threads $cores"
    done
done

# Data whose true sources are known, and the same question with the answer at hand.
test -e tcl.npz || run "idkit synth tcl --per-segment 200 --seed 1 -o tcl.npz"
for model in vae ivae vade; do
    run "idkit train --data tcl.npz --model $model --seed 1-5 --steps $steps --threads $cores"
done

# The latents of what was not trained on; the same rows for every run.
run "idkit embed runs/digits-*/model.safetensors"
run "idkit embed runs/tcl-*/model.safetensors --data tcl.npz"

# Do the runs of a family agree: coordinate by coordinate, and up to a linear map?
run "idkit mcc runs/digits-*/latents.npz runs/tcl-*/latents.npz --mode strong -o strong.npz --force"
run "idkit mcc runs/digits-*/latents.npz --mode weak --cca-dim 10 -o weak.npz --force"
run "idkit mcc runs/tcl-*/latents.npz --to sources -o sources.npz --force"

# Is the difference between families real?
run "idkit wilcoxon strong.npz -o tests.npz --force"

run "idkit plot curve strong.npz -o curve.png --force"
run "idkit plot box sources.npz -o box.png --force"
run "idkit plot history runs/digits-vade-mlp-dz20*/model.safetensors -o history.png --force"
run "idkit plot latents runs/digits-vade-mlp-dz20*-s[12]/latents.npz -o latents.png --force"

echo
echo "Runs are in $PWD/runs, scores in strong.npz weak.npz sources.npz, tests in tests.npz,"
echo "figures in curve.png box.png history.png latents.png of $PWD"
