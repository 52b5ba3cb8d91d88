"""What others wrote and we rely on: the bill of materials, its licences, and what is known against it.

`python -m checks.supply sbom|licences|audit`; `make sbom`, `make licences`, `make audit` are the same.
"""
