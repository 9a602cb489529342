"""What each metric is called: it stands in `ayni_io.labels`, for the phone page says the same words."""

from ayni_io.labels import _LABELS as _LABELS
from ayni_io.labels import label as label
