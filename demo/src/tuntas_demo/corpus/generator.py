"""Generates the reports of the demo: the same seed, register and start give the same reports."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from random import Random

from tuntas_contracts.vocabulary import Channel, Classification, ServiceClass
from tuntas_demo.corpus.catalogue import Situation, load_catalogue
from tuntas_demo.corpus.circumstances import BY_HAND, Circumstances, draw_circumstances
from tuntas_demo.corpus.composition import BODY_LIMITS, TITLE_LIMIT, Draft, compose
from tuntas_demo.corpus.disclosure import Disclosed, disclose
from tuntas_demo.corpus.drawing import Draw
from tuntas_demo.corpus.geography import Geography
from tuntas_demo.corpus.lexicon import Lexicon, load_lexicon
from tuntas_demo.corpus.model import Expected, GeneratedReport, Hint, Payload, PersonalKind, PersonalString, RegisteredAgency, Reporter
from tuntas_demo.corpus.money import rupiah
from tuntas_demo.corpus.officers import answer_texts, follow_up_texts, officer_facts, reply_texts, return_reasons
from tuntas_demo.corpus.people import Person, draw_person, written_phone
from tuntas_demo.corpus.slots import Facts, draw_facts
from tuntas_demo.corpus.submission_times import submission_times
from tuntas_demo.corpus.text_noise import CASUAL, add_noise, draw_case, recase, with_emoji

ADDRESSED_SHARE = 0.35
DISCLOSING_SHARE = 0.08


def reports(seed: int, count: int, register: Iterable[RegisteredAgency], *, start: date, days: int = 5) -> Iterator[GeneratedReport]:
    """`count` reports that arrive in order over `days` days from local midnight of `start`.

    69 % complaints, 20 % information requests, 11 % aspirations. Raises `CorpusError` if the register is too small to answer them.
    """
    geography = Geography(register)
    draw = Draw(load_catalogue(), geography)
    writer = _Writer(seed, load_lexicon(), geography, geography.names(), draw)
    whole = Random(f"{seed}:whole")
    moments = submission_times(whole, count, start, days)
    for number, (classification, submitted_at) in enumerate(zip(draw.classes(whole, count), moments, strict=True), 1):
        yield writer.report(number, classification, submitted_at)


class _Writer:
    def __init__(self, seed: int, lexicon: Lexicon, geography: Geography, names: Mapping[str, str], draw: Draw) -> None:
        self._seed, self._lexicon, self._geography, self._names, self._draw = seed, lexicon, geography, names, draw

    def report(self, number: int, classification: Classification, submitted_at: datetime) -> GeneratedReport:
        rng = Random(f"{self._seed}:{number}")
        how = draw_circumstances(rng, self._draw, classification)
        situation, region = how.situation, how.region
        by_clerk = how.channel in BY_HAND
        received = submitted_at - _waited(rng, how.channel) if by_clerk else submitted_at
        today = (received + timedelta(hours=region.utc_offset)).date()
        facts = draw_facts(rng, self._lexicon, situation, region, today, how.missing, how.region_known)
        person = draw_person(rng, self._lexicon, region, facts.village)
        draft = compose(rng, self._lexicon, situation, facts, how.length, how.manner, today)
        case = draw_case(rng, how.manner)
        disclosed = None
        if rng.random() < DISCLOSING_SHARE:
            other = draw_person(rng, self._lexicon, region, facts.village)
            disclosed = disclose(rng, self._lexicon, person, other, case, situation)
        reporter = _reporter(rng, person, how.channel, with_address=disclosed is not None and disclosed.discloses(PersonalKind.ADDRESS))
        right = self._geography.answerer(situation, region)
        wrong = self._geography.plausible_wrong(right, region, rng)
        addressed, suggested = _aimed(rng, right, wrong)
        payload = Payload(
            title=recase(add_noise(rng, draft.title, how.manner, self._lexicon), case).strip()[:TITLE_LIMIT],
            body=self._body(rng, draft, how, case, disclosed),
            classification=classification,
            category=situation.category if rng.random() < 0.8 else None,
            service_kind=situation.service_kind if rng.random() < 0.5 else None,
            addressed_agency=addressed,
            suggested_agency=suggested,
            misconduct=rng.random() < situation.misconduct,
            anonymous=rng.random() < situation.anonymous,
            secret=rng.random() < situation.secret,
            incident_date=facts.incident if classification is Classification.COMPLAINT and "date" not in how.missing else None,
            place_text=None if "place" in how.missing else facts.place_text,
            region_code=region.code if how.region_known else None,
            loss_rupiah=_loss(rng, situation, facts),
            requested_resolution=(draft.resolution or None) if rng.random() < 0.45 else None,
            channel=how.channel,
            reporter=reporter,
        )
        return GeneratedReport(
            number=number,
            situation=situation.code,
            submitted_at=submitted_at,
            payload=payload,
            entered_by_clerk=by_clerk,
            original_received_at=received if by_clerk else None,
            expected=self._expected(rng, situation, facts, right, wrong, draft.variant, reporter, disclosed),
            behaviour=Hint(right, _service_class(situation), situation.archive_reason, how.missing),
        )

    def _body(self, rng: Random, draft: Draft, how: Circumstances, case: str, disclosed: Disclosed | None) -> str:
        typed = [add_noise(rng, paragraph, how.manner, self._lexicon) for paragraph in draft.paragraphs]
        typed[-1] = with_emoji(rng, typed[-1], how.manner, how.situation.classification)
        local = self._lexicon.phrases.regional.get(how.region.people)
        if local and how.manner in CASUAL and rng.random() < 0.12:
            word = rng.choice(local)
            if word.endswith(". "):
                typed[-1] = f"{typed[-1].rstrip()} {word.strip()}"
            else:
                typed[0] = word + typed[0][0].lower() + typed[0][1:]
        body = recase("\n\n".join(typed * 2 if draft.pasted_twice else typed), case)
        if disclosed:
            body = f"{disclosed.sentence} {body}" if disclosed.at_start else f"{body.rstrip()} {disclosed.sentence}"
        shortest, longest = BODY_LIMITS
        body = body.strip()[:longest]
        return body if len(body) >= shortest else f"{body} {recase('mohon ditindaklanjuti', case)}"

    def _expected(
        self,
        rng: Random,
        situation: Situation,
        facts: Facts,
        right: str,
        wrong: str,
        variant: str,
        reporter: Reporter,
        disclosed: Disclosed | None,
    ) -> Expected:
        known = officer_facts(facts, situation, self._names.get(right, right))
        return Expected(
            agency=right,
            unit=situation.unit_code,
            unit_name=situation.unit,
            unit_sector=situation.unit_sector or situation.sector,
            wrong_agency=wrong,
            personal=(*_in_fields(reporter), *(disclosed.personal if disclosed else ())),
            third_parties=disclosed.third_parties if disclosed else (),
            follow_ups=follow_up_texts(situation, known),
            answers=answer_texts(rng, self._lexicon, situation, known, variant),
            replies=reply_texts(rng, self._lexicon, situation, facts, variant),
            return_reasons=return_reasons(rng, self._lexicon),
        )


def _aimed(rng: Random, right: str, wrong: str) -> tuple[str | None, str | None]:
    """The agency addressed, and the one suggested: seven in eight of those who name one know whose task it is."""
    named = right if rng.random() < 0.87 else wrong
    if rng.random() < ADDRESSED_SHARE:
        return named, None
    return None, named if rng.random() < 0.3 else None


def _reporter(rng: Random, person: Person, channel: Channel, *, with_address: bool) -> Reporter:
    """An address that the text gives away is in its field too: what is in no field can't be recognised."""
    phone = written_phone(rng, person.phone)
    by_phone = channel in (Channel.SMS, Channel.TELEPHONE, Channel.WALK_IN, Channel.LETTER, Channel.COMPLAINT_BOX)
    email = person.email if channel is Channel.EMAIL or rng.random() < (0.1 if by_phone else 0.8) else None
    if not by_phone and email and rng.random() < 0.4:
        phone = ""
    return Reporter(
        name=person.name,
        email=email,
        phone=phone or None,
        address=person.address if with_address or rng.random() < 0.3 else None,
        nik=person.nik if rng.random() < 0.35 else None,
    )


def _waited(rng: Random, channel: Channel) -> timedelta:
    """How long a report waited before it was entered: minutes at the SMS gateway, hours at a desk."""
    return timedelta(minutes=rng.randint(1, 20)) if channel is Channel.SMS else timedelta(hours=rng.randint(1, 30))


def _in_fields(reporter: Reporter) -> Iterator[PersonalString]:
    fields = (
        (PersonalKind.NAME, reporter.name),
        (PersonalKind.EMAIL, reporter.email),
        (PersonalKind.PHONE, reporter.phone),
        (PersonalKind.ADDRESS, reporter.address),
        (PersonalKind.NIK, reporter.nik),
    )
    return (PersonalString(kind, value, False) for kind, value in fields if value)


def _loss(rng: Random, situation: Situation, facts: Facts) -> int | None:
    if not situation.loss or rng.random() < 0.4:
        return None
    return rupiah(rng.choice(situation.loss).format_map(facts.reported))


def _service_class(situation: Situation) -> ServiceClass:
    return situation.service_class if situation.classification is Classification.COMPLAINT else ServiceClass.INFORMATION
