"""`mien networks list`: the architectures by name."""

import json
from typing import TYPE_CHECKING, Any

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import writing

if TYPE_CHECKING:
    from mien.networks.registry import Network


def list(
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """List the networks that can be trained.

    A line each: its name, its parameters with seven classes, the side of its pictures and its
    source. Every network of torchvision and timm can be had beside them, by its own name.
    """
    from mien.networks.registry import HUBS, NETWORKS

    with writing("standard output"):
        if format is _options.Report.json:
            described = [_described(entry) for entry in NETWORKS.values()]
            print(json.dumps(described, indent=2))
            return
        rows = [
            (entry.name, f"{entry.parameters:>11,}", f"{entry.side:>4}", entry.source)
            for entry in NETWORKS.values()
        ]
        print(*aligned([("name", " parameters", "side", "source"), *rows]), sep="\n")
        if not quiet:
            print(
                *(f"{hub}:NAME  any network of {hub} (extra: networks)" for hub in HUBS), sep="\n"
            )


def _described(network: "Network") -> dict[str, Any]:
    from dataclasses import fields

    return {
        field.name: getattr(network, field.name)
        for field in fields(network)
        if field.name != "build"
    }
