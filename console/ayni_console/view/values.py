"""What a reading says: it stands in `ayni_io.values`, for the phone page says the same words."""

from ayni_io.values import label as label
from ayni_io.values import meaning as meaning
from ayni_io.values import rate as rate
from ayni_io.values import value as value
