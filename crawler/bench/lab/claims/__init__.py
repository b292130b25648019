"""The claims, in the order of the report."""

from crawler.bench.lab.claim import Claim
from crawler.bench.lab.claims import convoy, crawls, creation, faults, handover, kernel, kitchen, races, scaling, waits

CLAIMS: tuple[Claim, ...] = tuple(
    module.CLAIM for module in (creation, kernel, kitchen, scaling, waits, races, faults, handover, crawls, convoy)
)
