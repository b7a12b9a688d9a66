"""What marketing reads, reckoned from files or topics: figures, tables and pictures, apart from how they are shown.

`interaction_rows` and `change_rows` make frames, `material` puts them together, one module for each family of figures
turns them into the tables of `tables`, and `making` calls them all. Frames are of polars, which nothing else knows.
"""
