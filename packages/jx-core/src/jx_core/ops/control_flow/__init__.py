"""Control flow: staged calls, conditionals and loops, whose params hold programs."""
