"""Forms: the texts of values, by a form for each class, which follows from its declaration.

- `form`: `Form`: a writer, a reader and a JSON Schema
- `scalars`: texts, numbers, instants and names of rules
- `holders`: lists, mappings, one of several classes
- `objects`: a class as an object of its fields
- `derived`: `Forms`: from the parameters of a class, and the types it keeps, to its form
- `hosted`: price models of a host's own
- `json`: the forms special to JSON: the classes that have a text, money, currencies, periods
- `canonical`: one text for a value
- `schema`: JSON Schemas of texts
"""
