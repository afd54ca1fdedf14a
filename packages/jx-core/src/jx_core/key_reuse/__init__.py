"""Checking that no random key is used twice: the option `debug_key_reuse`.

Every element of a key array has a label, a number of its own. Operations that move keys about
(slices, reshapes, gathers) move the labels, by the same reference meaning; operations that use a
key up (`random_bits`, `random_split`) write the label and the line into a ledger, and a label
that is there already is an error. A staged program is followed in the abstract before it runs.

`ledger` has labels and uses, `programs` what each equation does to them, `eager` the labels of
arrays and the entry point. Nothing of this is imported until the option is first on.

Not here: raw keys. An array of words is wrapped anew by each function it is given to, and gets
fresh labels each time, as in JAX.
"""
