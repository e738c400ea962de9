# bash completion for vitrin: the program knows its own flags.
eval "$(vitrin completions bash)"
