from crawler.frontier.sqlite import SqliteFrontier
from crawler.protocols import Frontier
from tests.contract.frontier_machine import FrontierMachine, few_steps
from tests.contract.frontier_suite import DurableFrontierSuite, FrontierSuite, Place


def in_file(place: Place) -> Frontier:
    return SqliteFrontier(place.folder / "job.db", place.settings, place.clock.now, place.clock.wall)


class TestSqliteFile(DurableFrontierSuite):
    def make(self, place: Place) -> Frontier:
        return in_file(place)


class TestSqliteInMemory(FrontierSuite):
    def make(self, place: Place) -> Frontier:
        return SqliteFrontier(None, place.settings, place.clock.now, place.clock.wall)


class SqliteMachine(FrontierMachine):
    def make(self, place: Place) -> Frontier:
        return in_file(place)


TestSqliteAgainstModel = SqliteMachine.TestCase
TestSqliteAgainstModel.settings = few_steps
