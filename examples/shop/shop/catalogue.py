"""What the shop sells, and for how much."""

from __future__ import annotations

PRICES_IN_CENTS = {"tea": 450, "coffee": 700, "cup": 1200}


class UnknownArticle(Exception):
    """The shop does not sell this article."""

    def __init__(self, article: str) -> None:
        super().__init__(article)
        self.article = article

    def __str__(self) -> str:
        return f"{self.article!r} is not sold here; choose from {sorted(PRICES_IN_CENTS)}"


def price_of(article: str) -> int:
    """Return the price of one piece in cents."""
    try:
        return PRICES_IN_CENTS[article]
    except KeyError:
        raise UnknownArticle(article) from None
