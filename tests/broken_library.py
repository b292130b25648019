"""A library that cannot be imported, for a reason that is no ImportError."""

raise RuntimeError("no such device")
