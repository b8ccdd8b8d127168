"""The commands `tuntas demo`, `tuntas bench` and `tuntas drill`: one file each, with a function `register(app)` that adds it."""
