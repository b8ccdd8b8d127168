"""The one error that says: understood, but not possible, and nothing was changed."""


class Refusal(Exception):
    """A command or input that its case does not allow.

    `code` is stable and for programs; `detail` says what was wrong and what to do. HTTP answers 409 with it, an agency's
    command gets `ActionRefused`, a reporter's input `InputRefused`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
