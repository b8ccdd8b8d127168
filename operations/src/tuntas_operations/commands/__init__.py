"""The commands of `tuntas ops`: one file each, with a function `register(app)` that adds it."""
