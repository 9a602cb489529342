"""A village's hub feeds a server: what it stored, what happened, and its verdict.

`box` keeps what the server does not have yet, `pace` keeps to the budget, `showcase` knows what is retained
there for people, `feeder` does the talking.
"""

from ayni_hub.feeding.box import FeedError
from ayni_hub.feeding.feeder import Feeder

__all__ = ["FeedError", "Feeder"]
