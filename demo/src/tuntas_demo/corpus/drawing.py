"""Which situation and which region the next report is of, with the skew of real traffic."""

from bisect import bisect
from collections.abc import Iterable, Mapping
from itertools import accumulate
from random import Random

from tuntas_contracts.vocabulary import Classification
from tuntas_demo.corpus.catalogue import Catalogue, Level, Situation
from tuntas_demo.corpus.geography import Geography, Region
from tuntas_demo.corpus.model import CorpusError
from tuntas_reference.categories import Sector

CLASS_SHARES: Mapping[Classification, float] = {
    Classification.COMPLAINT: 0.69,
    Classification.INFORMATION: 0.20,
    Classification.ASPIRATION: 0.11,
}
UNACTIONABLE_SHARE = 0.02
HOT_SHARE = 0.17  # of a sector's reports, at its busiest agency
_HOT_CANDIDATES = 5
_LOCAL_ENOUGH = 0.3


class _Weighted:
    """Draws situations by weight."""

    def __init__(self, situations: Iterable[Situation]) -> None:
        self.situations = tuple(situations)
        self._cumulative = list(accumulate(s.weight for s in self.situations))

    @property
    def total(self) -> int:
        return self._cumulative[-1] if self._cumulative else 0

    def draw(self, rng: Random) -> Situation:
        return self.situations[bisect(self._cumulative, rng.random() * self.total)]


class Draw:
    """Draws situations and regions. Raises `CorpusError` where the register answers no situation of some class."""

    def __init__(self, catalogue: Catalogue, geography: Geography) -> None:
        self._geography = geography
        self._actionable = {
            c: _Weighted(s for s in catalogue.actionable if s.classification is c and geography.answerable(s)) for c in Classification
        }
        self._unactionable = {c: _Weighted(s for s in catalogue.unactionable if s.classification is c) for c in Classification}
        for classification, weighted in self._actionable.items():
            if not weighted.total:
                raise CorpusError(
                    f"the register has no agency that could answer a report of class {classification}: load the whole register"
                )
        self._hot = {sector: self._hot_region(place, sector) for place, sector in enumerate(Sector)}

    def classes(self, rng: Random, count: int) -> list[Classification]:
        """The classes of `count` reports, in their exact shares."""
        complaints = round(count * CLASS_SHARES[Classification.COMPLAINT])
        information = round(count * CLASS_SHARES[Classification.INFORMATION])
        mixed = [Classification.COMPLAINT] * complaints + [Classification.INFORMATION] * information
        mixed += [Classification.ASPIRATION] * (count - len(mixed))
        rng.shuffle(mixed)
        return mixed

    def situation(self, rng: Random, classification: Classification) -> Situation:
        """What such a report is about."""
        unactionable = self._unactionable[classification]
        if unactionable.total and rng.random() < UNACTIONABLE_SHARE:
            return unactionable.draw(rng)
        return self._actionable[classification].draw(rng)

    def region(self, rng: Random, situation: Situation) -> Region:
        """Where it happened: the sector's busiest region more often than its size suggests."""
        region, extra = self._hot[situation.sector]
        local = situation.level is Level.REGENCY and situation.archive_reason is None
        if local and region.suits(situation.setting) and rng.random() < extra:
            return region
        return self._geography.draw(rng, situation.setting)

    def _hot_region(self, place: int, sector: Sector) -> tuple[Region, float]:
        candidate = place % min(_HOT_CANDIDATES, len(self._geography.regions))
        region = self._geography.regions[candidate]
        local, total = 0.0, 0.0
        for classification, weighted in self._actionable.items():
            for situation in weighted.situations:
                if situation.sector is sector:
                    part = situation.weight / weighted.total * CLASS_SHARES[classification]
                    total += part
                    local += part if situation.level is Level.REGENCY and region.suits(situation.setting) else 0.0
        share = local / total if total else 0.0
        by_size = self._geography.share(candidate)
        wanted = min(HOT_SHARE / share, 1.0) if share > _LOCAL_ENOUGH else by_size
        return region, max(0.0, (wanted - by_size) / (1 - by_size)) if by_size < 1 else 0.0
