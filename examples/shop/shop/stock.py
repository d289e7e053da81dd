"""How many pieces of an article are left."""

from __future__ import annotations

from pynenc import ConcurrencyControlType

from shop.app import app
from shop.folders import folder


class OutOfStock(Exception):
    """Fewer pieces are left than somebody wants."""

    def __init__(self, article: str, wanted: int, left: int) -> None:
        super().__init__(article, wanted, left)
        self.article = article
        self.wanted = wanted
        self.left = left

    def __str__(self) -> str:
        return f"{self.wanted} x {self.article!r} wanted, {self.left} left"


def put_in_stock(article: str, pieces: int) -> None:
    """Say how many *pieces* there are, whatever was said before."""
    (folder("stock") / article).write_text(str(pieces))


def in_stock(article: str) -> int:
    """Return how many pieces are left."""
    return int((folder("stock") / article).read_text())


@app.task(
    running_concurrency=ConcurrencyControlType.KEYS,
    key_arguments=("article",),
    # Whoever finds the article busy goes back into the queue. Without this line pynenc would end
    # that reservation for good, and it would never have a result.
    reroute_on_concurrency_control=True,
)
def reserve_stock(article: str, pieces: int) -> int:
    """Take *pieces* out of the stock and return how many are left; a negative number puts back.

    Reading the number and writing the new one are two steps. What keeps two reservations of one
    article from reading the same number is pynenc: it runs one of them at a time. Reservations of
    different articles do not wait for each other. (Call the task once for each reservation:
    what ``reserve_stock.parallelize`` registers in one go escapes this control.)
    """
    left = in_stock(article) - pieces
    if left < 0:
        raise OutOfStock(article, pieces, in_stock(article))
    put_in_stock(article, left)
    return left
