"""What can't be had or done, each in one sentence that says what was wrong, with what, and what to do."""


class StackError(Exception):
    """Base of everything the local stack refuses with. `str(error)` is one sentence for the person at the terminal."""


class MissingProgram(StackError):
    """A program that the stack needs (Java, PostgreSQL) is not on this machine and not in its wheel."""


class FetchFailed(StackError):
    """A file of the broker could not be fetched or is not the one that was asked for."""


class FolderInUse(StackError):
    """Another running stack holds the data folder."""


class NotRunning(StackError):
    """No stack runs in the folder."""


class PortTaken(StackError):
    """A port that was asked for by number is in use."""


class DiskFull(StackError):
    """The disk that holds the data folder has too little room."""


class PartFailed(StackError):
    """A part ended or did not become ready in time. `part` is its name."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(sentence)
        self.part = part


class Unreachable(StackError):
    """A server that `TUNTAS_KAFKA` or `TUNTAS_DATABASE` names does not answer or refuses us."""
