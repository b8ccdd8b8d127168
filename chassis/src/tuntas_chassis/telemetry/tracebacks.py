"""Frees the frames that an exception refers to."""


def without_frames(fault: Exception) -> Exception:
    """The same fault without tracebacks and causes; what it says stays.

    A fault is kept until its batch is committed. Its traceback refers to the frames that hold the batch, and the batch to the
    fault: such cycles are freed only by a full garbage collection, and an agency that writes what can't be read makes thousands.
    """
    fault.__traceback__ = fault.__cause__ = fault.__context__ = None
    return fault
