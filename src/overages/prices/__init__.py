"""Prices: from a quantity to its exact cost.

- `tier`: `Tier`, a row of a price table, and `Charge`, the cost of a quantity by tier
- `ladder`: a price table worked out in integers
- `curve`: the cost of each quantity up to one, as points and as a picture
- `models`: `PerUnit`, `Package`, `Graduated`, `Volume`, `Percentage`, and the protocol
- `exact_cost`: the cost of a quantity, and of units on top of earlier ones
- `exchange`: `Exchanged`: a price in points or another unit
- `prorated`: the price of a part of a period
- `registry`: all of the library's price models
- `transactions`: `TransactionFee`: a fee on each of many amounts
"""
