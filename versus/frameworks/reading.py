"""Images are read while others are computed."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
AHEAD = 2


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, which a thread makes, up to AHEAD before they are asked for; raise what making them raises.

    >>> list(ahead(range(5)))
    [0, 1, 2, 3, 4]
    """
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as reader:
        coming = deque(reader.submit(next, iterator, end) for _ in range(AHEAD))
        while (item := coming.popleft().result()) is not end:
            coming.append(reader.submit(next, iterator, end))
            yield item
