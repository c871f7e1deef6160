"""The commands of the command line, one module each, and its parser.

- `desk`: the parts that the commands share
- `apply`: plans, accounts, and all else of a file into a database
- `ingest`: usage files into a database
- `close`: periods that have ended
- `rate`: files to statements, without a database
- `status`: the periods of each org
- `alerts`: the alerts that fired
- `show`: records
- `explain`: a bill, and a line of it down to its events
- `export`: records, statements and usage, for other programs
- `withdraw`: events that should not have been
- `verify`: the check of a database
- `migrate`: the tables of a database
- `schema`: schemas of files and values
- `parser`: the command line as a whole
"""
