"""How each class stands in JSON: a form for it, put together of the forms of what it holds.

`form` says what a form is, `values` has those of single values and `holders` those of what holds
others; `plans`, `grants`, `usage` and `statements` have an entry for each class, and `hosted` has
price models of a host's own. `overages.codec` makes one format of all of them.
"""
