"""The mail relay: reachable, secured as it should be, with our login. No mail is sent."""

import smtplib
import ssl

from tuntas_operations.doctor.findings import Finding, not_checked, ok, wrong
from tuntas_operations.installation import Installation, MailRelay

_WITHIN_S = 8.0


def mail(installation: Installation) -> Finding:
    """What the relay says to us."""
    about, relay = "mail relay", installation.mail
    if relay is None:
        return not_checked(about, "it is not named", "set TUNTAS_SMTP_HOST")
    where = f"{relay.host}:{relay.port}"
    try:
        with _connected(relay) as smtp:
            smtp.ehlo_or_helo_if_needed()
            wanted = relay.security == "starttls" or (relay.security == "opportunistic" and smtp.has_extn("starttls"))
            if wanted:
                smtp.starttls(context=ssl.create_default_context())
            if relay.username and relay.password:
                smtp.login(relay.username, relay.password)
            code, _ = smtp.noop()
    except smtplib.SMTPAuthenticationError as error:
        return wrong(
            about,
            f"{where} refuses the login {relay.username} ({error.smtp_code})",
            "correct TUNTAS_SMTP_USERNAME and TUNTAS_SMTP_PASSWORD",
        )
    except (smtplib.SMTPException, OSError) as error:
        todo = "look at TUNTAS_SMTP_HOST, TUNTAS_SMTP_PORT and TUNTAS_SMTP_SECURITY, and whether it runs; notices wait in the queue"
        return wrong(about, f"{where} can't be spoken with ({type(error).__name__}: {error})", todo)
    if code != 250:
        return wrong(about, f"{where} answers {code}", "ask its operator; notices wait in the queue")
    return ok(about, f"{where} answers, {'by TLS' if wanted or relay.security == 'tls' else 'in clear'}")


def _connected(relay: MailRelay) -> smtplib.SMTP:
    if relay.security == "tls":
        return smtplib.SMTP_SSL(relay.host, relay.port, timeout=_WITHIN_S, context=ssl.create_default_context())
    return smtplib.SMTP(relay.host, relay.port, timeout=_WITHIN_S)
