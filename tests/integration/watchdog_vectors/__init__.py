"""The acceptance vectors of the watchdogs, as one table: what is asked, what OpenFaaS's watchdogs
answered to it when they were observed, and what ours answers where that is something else on
purpose (docs/compatibility.md says why).

table.py holds the rows and compares; the rows are in the module of what they are about."""
