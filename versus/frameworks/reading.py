"""Images are read while others are computed."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
AHEAD = 2


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, which a thread makes, up to AHEAD before they are asked for; raise what making them raises.

    None of them is None.

    >>> list(ahead(range(5)))
    [0, 1, 2, 3, 4]
    """
    iterator = iter(items)
    with ThreadPoolExecutor(1) as reader:
        coming = deque(reader.submit(next, iterator, None) for _ in range(AHEAD))
        while (item := coming.popleft().result()) is not None:
            coming.append(reader.submit(next, iterator, None))
            yield item
