"""Latents whose truth is known, made of a file, one module each: `derive(rng, given, *, ...)`.

`derive` returns the arrays of a latents/1 artefact. Its keyword-only parameters are the options of
`idkit synth KIND --from FILE`, and its docstring is their help.
"""
