"""How numbers are written for people."""


def signed(value: float) -> str:
    """Write a number with its sign and three decimals; what rounds to zero has none."""
    text = f"{value:+.3f}"
    return "0.000" if text[1:] == "0.000" else text


def interval(low: float, high: float) -> str:
    """Write an interval of signed numbers."""
    return f"{signed(low)} to {signed(high)}"
