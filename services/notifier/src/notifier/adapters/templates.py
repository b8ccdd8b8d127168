"""Mails from template files: the first line is the subject, the rest the text; Indonesian first, English second."""

from collections.abc import Mapping

from jinja2 import PackageLoader, StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from notifier.application.ports import UnrenderableLetter
from notifier.domain.delivery import Claimed
from notifier.domain.letters import words_of
from notifier.domain.mail import MailContent
from notifier.domain.notices import NoticeKind

_SEPARATOR = "\n\n----------------------------------------\nEnglish: "
_FOOTER = (
    "\n\n-- \nSP4N-LAPOR! Surel ini dikirim secara otomatis; mohon tidak membalasnya.\n"
    "This e-mail was sent automatically; please do not reply to it.\n"
)


class MailTemplates:
    """Renders the letter of every kind. Templates are checked when this is made, so that a faulty one stops the start."""

    def __init__(self) -> None:
        """Raises jinja2.TemplateError, naming the file, where a template is missing or has a fault."""
        environment = SandboxedEnvironment(
            loader=PackageLoader("notifier", "templates"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
            auto_reload=False,
        )
        environment.filters["working_days"] = _working_days
        self._templates: Mapping[tuple[NoticeKind, str], Template] = {
            (kind, language): environment.get_template(f"{kind.value}.{language}.txt.j2")
            for kind in NoticeKind
            for language in ("id", "en")
        }

    def write(self, claimed: Claimed, *, name: str | None, page: str, access_code: str | None = None) -> MailContent:
        """The letter of a delivery to a reader of that name. Raises UnrenderableLetter."""
        subject, indonesian = self._render(claimed, "id", name, page, access_code)
        heading, english = self._render(claimed, "en", name, page, access_code)
        return MailContent(subject, f"{indonesian}{_SEPARATOR}{heading}\n\n{english}{_FOOTER}")

    def _render(self, claimed: Claimed, language: str, name: str | None, page: str, access_code: str | None) -> tuple[str, str]:
        template = self._templates[claimed.delivery.kind, language]
        try:
            text = template.render({**words_of(claimed, language, name=name, page=page), "access_code": access_code})
        except (TemplateError, LookupError, ValueError, TypeError) as error:
            raise UnrenderableLetter(f"{template.name}: {type(error).__name__}: {error}") from error
        subject, _, body = text.partition("\n")
        return subject.strip(), body.strip()


def _working_days(number: int) -> str:
    return "1 working day" if number == 1 else f"{number} working days"
