"""What it costs to hand a page to a worker process and to take its result back, by several ways.

Of every way: microseconds a page over the work itself, for many pages in a row and for one alone, by the clock on the
wall and by the CPU time of parent and worker. ``work`` runs in the workers, ``ways`` has the ways, ``measure`` the
arithmetic, ``table`` shows the results.
"""
