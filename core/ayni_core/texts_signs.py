"""English texts of the signs that speak for the probable cause of a link's trouble: two or three words."""

from __future__ import annotations

SIGN_TEXTS: dict[str, str] = {}


def _text(context: str, english: str) -> None:
    SIGN_TEXTS[context] = english


_text("sign.step", "step")
_text("sign.slow", "slowly")
_text("sign.both_ends", "both ends")
_text("sign.one_end", "one end")
_text("sign.noise_flat", "noise flat")
_text("sign.noise_up", "noise up")
_text("sign.signal_steady", "signal steady")
_text("sign.rates_follow", "rates follow")
_text("sign.repeats_up", "repeats up")
_text("sign.slow_port", "slow port")
_text("sign.side_lobe", "20 dB under plan")
_text("sign.uneven", "H/V uneven")
_text("sign.uneven_at_both", "H/V at both ends")
_text("sign.dries", "better slowly")
_text("sign.site_dark", "whole site silent")
_text("sign.not_heard", "not heard any more")
_text("sign.one_silent", "one device silent")
_text("sign.others_answer", "others there answer")
_text("sign.monitor_late", "monitor late")
_text("sign.cut_above", "cut further up")
_text("sign.by_eye", "seen by eye")
_text("sign.on_the_phone", "told by phone")
