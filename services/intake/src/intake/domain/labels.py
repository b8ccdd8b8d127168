"""What a reporter reads for states and events: Indonesian first, English second."""

from typing import Final

from tuntas_contracts.vocabulary import CaseState
from tuntas_reference.categories import BilingualName


def _both(indonesian: str, english: str) -> BilingualName:
    return BilingualName(id=indonesian, en=english)


STATES: Final = {
    CaseState.RECEIVED: _both("Diterima, menunggu verifikasi Admin Nasional", "Received, waiting for national verification"),
    CaseState.AT_AGENCY: _both("Di instansi, menunggu verifikasi Admin Instansi", "With the agency, waiting for its verification"),
    CaseState.AWAITING_DATA: _both("Menunggu data dari Anda", "Waiting for data from you"),
    CaseState.DISPATCHED: _both("Didisposisikan ke unit kerja", "Passed to the unit in charge"),
    CaseState.IN_PROGRESS: _both("Sedang ditindaklanjuti", "Being followed up"),
    CaseState.RESPONDED: _both("Sudah dijawab, menunggu tanggapan Anda", "Answered, waiting for your reply"),
    CaseState.CLOSED: _both("Selesai", "Closed"),
    CaseState.ARCHIVED: _both("Diarsipkan", "Archived"),
}
# The buckets of the national statistics, as the ministry publishes them.
BUCKETS: Final = {
    CaseState.RECEIVED: _both("Belum Terverifikasi", "Not yet verified"),
    CaseState.AT_AGENCY: _both("Belum Terverifikasi", "Not yet verified"),
    CaseState.AWAITING_DATA: _both("Tertunda", "Postponed"),
    CaseState.DISPATCHED: _both("Terdisposisi – Belum Ditindaklanjuti", "Passed on – not yet followed up"),
    CaseState.IN_PROGRESS: _both("Terdisposisi – Sedang Diproses", "Passed on – in process"),
    CaseState.RESPONDED: _both("Terdisposisi – Sedang Diproses", "Passed on – in process"),
    CaseState.CLOSED: _both("Terdisposisi – Selesai", "Passed on – done"),
    CaseState.ARCHIVED: _both("Arsip", "Archive"),
}
EVENTS: Final = {
    "ReportSubmitted": _both("Laporan dikirim", "Report submitted"),
    "CaseReceived": _both("Laporan masuk antrean verifikasi nasional", "The report is in the national verification queue"),
    "CaseForwarded": _both("Laporan diteruskan ke instansi", "The report was forwarded to an agency"),
    "CaseArchived": _both("Laporan diarsipkan", "The report was archived"),
    "CaseAccepted": _both("Instansi menerima laporan dan menunjuk unit kerja", "The agency accepted the report and named a unit"),
    "HandlingStarted": _both("Instansi menangani laporan", "The agency handles the report itself"),
    "CaseReturned": _both("Instansi mengembalikan laporan: bukan wewenangnya", "The agency returned the report: not its competence"),
    "FollowUpRecorded": _both("Tindak lanjut dicatat", "A follow-up was recorded"),
    "CaseAnswered": _both("Laporan dijawab", "The report was answered"),
    "CaseResumed": _both("Tanggapan Anda diterima; laporan diproses lagi", "Your reply was taken; the report is in process again"),
    "CaseClosed": _both("Laporan selesai", "The report is closed"),
    "InputRefused": _both("Tanggapan Anda tidak dapat diproses", "Your reply could not be acted upon"),
}
UNNAMED_EVENT: Final = _both("Laporan diperbarui", "The report was updated")
RECEIVED: Final = _both(
    "Laporan Anda telah kami terima. Simpan nomor laporan dan kode akses ini: hanya dengan keduanya Anda dapat melihat dan menanggapi "
    "laporan, dan kode akses tidak dapat kami tampilkan lagi.",
    "We have received your report. Keep this tracking id and access code: only with both can you see your report and reply to it, "
    "and we cannot show the access code again.",
)
CODE_BY_MAIL: Final = _both(
    "Laporan telah kami terima. Kode akses dikirim ke alamat surel pelapor; hanya pelapor yang dapat menanggapi dan menilai jawaban.",
    "We have received the report. The access code is mailed to the reporter, who alone can reply to the answer and rate it.",
)
