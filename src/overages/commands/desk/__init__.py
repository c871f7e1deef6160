"""The parts that the commands share.

- `outcome`: the exit statuses, and the stop that carries one
- `terminal`: lines on standard error, and colours
- `faults`: the faults of a file, by cause
- `arguments`: the arguments of commands
- `progress`: a progress bar
- `completion`: the completion of words in a shell
- `sources`: files of plans, usage files, and the database
- `rows`: the rows of usage files, in columns
- `periods`: the periods of an org, as it knows them
- `batch`: the rows of a usage file, each with an id
- `copies`: rows that another batch has, too
- `newcomers`: orgs that have usage and no account
- `intake`: usage files put into a repository
- `meters`: the usage of orgs, counted together where terms are the same
- `block_sums`: the sums of blocks, which pyarrow reads
- `sums`: the sums of usage files, with no row kept
- `closing`: periods closed and brought up to date
- `alerts`: alerts that fire in a command
"""
