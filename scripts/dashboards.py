"""Writes the dashboards of Grafana below configs/grafana: one description, a file for each kind of store.

.venv/bin/python scripts/dashboards.py          # write them
.venv/bin/python scripts/dashboards.py --check  # say whether they are up to date
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from dashboard_boards import BOARDS, STATES, Board, Choice, Panel
from dashboard_queries import STORES, Ask, choices, flux, promql

FOLDER = Path(__file__).resolve().parent.parent / "configs" / "grafana"
_SOURCES = {"prometheus": "prometheus", "victoriametrics": "prometheus", "influxdb": "influxdb"}
_TITLES = {"prometheus": "Prometheus", "victoriametrics": "VictoriaMetrics", "influxdb": "InfluxDB"}


def made(board: Board, store: str) -> dict[str, Any]:
    """A dashboard as Grafana's JSON (version 9 and later)."""
    panels = []
    x = y = height = 0
    for number, panel in enumerate(board.panels, 1):
        width, rows = panel.size
        if x + width > 24:
            x, y, height = 0, y + height, 0
        panels.append(_panel(panel, number, store) | {"gridPos": {"x": x, "y": y, "w": width, "h": rows}})
        x, height = x + width, max(height, rows)
    return {
        "uid": f"ayni-{board.name}-{store}",
        "title": f"Ayni: {board.title} ({_TITLES[store]})",
        "tags": ["ayni"],
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": 38,
        "version": 1,
        "refresh": "1m",
        "time": {"from": f"now-{board.hours}h", "to": "now"},
        "timezone": "",
        "links": [
            {"type": "dashboards", "tags": ["ayni"], "asDropdown": True, "title": "Ayni", "includeVars": True,
             "keepTime": True}
        ],
        "templating": {"list": _variables(board, store)},
        "panels": panels,
    }  # fmt: skip


def _variables(board: Board, store: str) -> list[dict[str, Any]]:
    source = {
        "type": "datasource", "name": "source", "label": "Data source", "query": _SOURCES[store],
        "refresh": 1, "current": {},
    }  # fmt: skip
    asked = [_choice(each, store) for each in board.choices]
    texts: dict[str, tuple[str, str]] = {}
    if store == "victoriametrics" and any(ask.group for panel in board.panels for ask in panel.asks):
        texts["db"] = ("Label db", "ayni")
    if store == "influxdb":
        texts["hub_bucket"] = ("Bucket of the page", "ayni-hub")
        if any(ask.group for panel in board.panels for ask in panel.asks):
            texts["bucket"] = ("Bucket of readings", "ayni")
    return [source, *(_text(name, *both) for name, both in texts.items()), *asked]


def _text(name: str, title: str, value: str) -> dict[str, Any]:
    now = {"text": value, "value": value}
    return {"type": "textbox", "name": name, "label": title, "query": value, "current": now, "options": [now]}


def _choice(choice: Choice, store: str) -> dict[str, Any]:
    query = choices(choice.family, choice.label, store, choice.where)
    return {
        "type": "query", "name": choice.name, "label": choice.title, "datasource": _source(store),
        "query": {"query": query, "refId": choice.name} if store != "influxdb" else query,
        "refresh": 2, "sort": 1, "multi": choice.several, "includeAll": choice.several,
        "current": {"text": "All", "value": "$__all"} if choice.several else {},
    }  # fmt: skip


def _source(store: str) -> dict[str, str]:
    return {"type": _SOURCES[store], "uid": "${source}"}


def _panel(panel: Panel, number: int, store: str) -> dict[str, Any]:
    targets = [_target(ask, chr(ord("A") + i), panel, store) for i, ask in enumerate(panel.asks)]
    steps = [{"value": value, "color": colour} for value, colour in panel.limits]
    defaults: dict[str, Any] = {
        "unit": panel.unit, "color": {"mode": "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }  # fmt: skip
    if panel.states:
        defaults |= {
            "color": {"mode": "thresholds"},
            "min": 0,
            "max": 4,
            "mappings": [
                {
                    "type": "value",
                    "options": {
                        f"{value}": {"text": text, "color": colour, "index": value}
                        for value, text, colour in STATES
                    },
                }
            ],
        }
    elif panel.kind == "stat":
        defaults["color"] = {"mode": "thresholds"}
    if store == "influxdb" and any(ask.legend for ask in panel.asks):
        defaults["displayName"] = _influx_legend(panel.asks)
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        **({"description": panel.about} if panel.about else {}),
        "datasource": _source(store),
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _options(panel),
    }


def _influx_legend(asks: Sequence[Ask]) -> str:
    """Labels of a series in a name; Grafana knows one form for a whole panel."""
    return asks[0].legend.replace("{{", "${__field.labels.").replace("}}", "}")


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": last, "colorMode": "background", "graphMode": "none", "textMode": "auto"}
    if panel.kind == "state-timeline":
        return {"mergeValues": True, "showValue": "never", "rowHeight": 0.8, "legend": {"showLegend": True}}
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom"}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "none"}}


def _target(ask: Ask, letter: str, panel: Panel, store: str) -> dict[str, Any]:
    target: dict[str, Any] = {"refId": letter, "datasource": _source(store)}
    if store == "influxdb":
        return target | {"query": flux(ask)}
    instant = panel.kind == "stat"
    return target | {
        "expr": promql(ask, store), "legendFormat": ask.legend or "__auto",
        "instant": instant, "range": not instant,
    }  # fmt: skip


def files() -> dict[Path, str]:
    """Every file and what it should say."""
    return {
        FOLDER / store / f"{board.name}.json": json.dumps(made(board, store), indent=1, ensure_ascii=False)
        + "\n"
        for store in STORES
        for board in BOARDS
    }


def main(argv: Sequence[str], write: Callable[[str], object] = print) -> int:
    """Write or check them."""
    stale = [path for path, text in files().items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in argv:
        for path in stale:
            write(f"{path}: not up to date; run scripts/dashboards.py")
        return int(bool(stale))
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
