"""Creates every topic of the platform, those of each agency in the register too; can be repeated."""

import os
import sys

from tuntas_operations.errors import StackError
from tuntas_operations.topics import create_topics, register_codes, topics_for


def main() -> int:
    """Create what lacks; gives the exit status."""
    try:
        made = create_topics(os.environ["TUNTAS_KAFKA"], topics_for(register_codes()), within_s=300)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{made} topics created\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
