"""How numbers are written for people."""


def signed(value: float) -> str:
    """Write a number with its sign and three decimals; what rounds to zero has none."""
    text = f"{value:+.3f}"
    return "0.000" if text[1:] == "0.000" else text


def interval(low: float, high: float) -> str:
    """Write an interval of signed numbers."""
    return f"{signed(low)} to {signed(high)}"


def percentage(share: float, decimals: int = 0) -> str:
    """Write a share of 0..1 in percent, rounded to so many decimals.

    >>> percentage(0.875, 1), percentage(1)
    ('87.5 %', '100 %')
    """
    return f"{100 * share:.{decimals}f} %"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Write a number and its noun, whose plural is `nouns` where adding an s does not make it.

    >>> plural(1, "seed"), plural(2000, "class", "classes")
    ('1 seed', '2,000 classes')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
