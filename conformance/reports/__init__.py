"""Reports: a result and a recording in, text or bytes out. They render and compute nothing; they read no clock and no file.

Each kind is a module of its own with a function `render`, imported when it is needed: `terminal`, `jsonout`, `junit`,
`har`, `markdown`, `html`. `schemas` gives the published JSON Schemas of what outsiders read.
"""
