"""Linear algebra on one thread: small matrices are faster so, and equal to the last digit."""

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks for the loaded libraries, which takes a millisecond


def one_thread() -> AbstractContextManager[None]:
    """Within it numpy and scipy compute on one thread, however many the user allows."""
    limit: AbstractContextManager[None] = _controller().limit(limits=1, user_api="blas")
    return limit
