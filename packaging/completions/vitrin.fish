# The program knows its own flags.
vitrin completions fish | source
