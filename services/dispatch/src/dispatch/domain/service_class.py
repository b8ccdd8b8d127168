"""The service class of a case and its completion limit (Permenpan RB 62/2018)."""

from tuntas_contracts.vocabulary import Classification, ServiceClass


def service_class(classification: Classification, *, normative: bool, supervision_content: bool, field_inspection: bool) -> ServiceClass:
    """The class that follows from what the agency administrator decides at T4 and T5.

    A complaint needs supervision content (berkadar pengawasan) *and* field inspection (pemeriksaan lapangan) to be
    supervisory; that outranks the mark *normatif*.
    """
    if classification is not Classification.COMPLAINT:
        return ServiceClass.INFORMATION
    if supervision_content and field_inspection:
        return ServiceClass.SUPERVISORY
    return ServiceClass.NORMATIVE if normative else ServiceClass.ORDINARY
