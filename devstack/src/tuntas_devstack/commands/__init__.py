"""The commands of `tuntas`: one file each, with a function `register(app)` that adds it."""
