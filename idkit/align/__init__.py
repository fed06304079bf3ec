"""Ways to align one run's latents with another's, one file a family of maps.

Each file has one public function, `fit(inside, a, b, *, components=None)`: it takes the in-sample
moments of a group and the numbers of two runs, and returns a `maps.Map`. To fit and to score are
two calls, so that a map is scored on whatever rows there are: `map.correlations(outside, a, b)`.
"""
