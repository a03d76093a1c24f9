"""`mien data`: what data sets there are, what is in one, and what is made of one."""

from collections.abc import Callable

from mien.cli.data.audit import audit
from mien.cli.data.export import export
from mien.cli.data.info import info
from mien.cli.data.join import join
from mien.cli.data.list import list as list_sets
from mien.cli.data.prepare import prepare
from mien.cli.data.rights import rights
from mien.cli.data.split import split

EXAMPLES: dict[Callable[..., None], str] = {
    list_sets: """
        mien data list
        mien data list --format json""",
    info: """
        mien data info --dataset fer2013 --root data
        mien data info --dataset ferplus --root data --option rule=majority --sheet sheet.png""",
    audit: """
        mien data audit --dataset fer2013 --root data --page audit.html
        mien data audit --dataset ferplus --root data --format json --write-splits clean.json""",
    prepare: """
        mien data prepare --dataset jaffe --root jaffe --out tables/jaffe
        mien data prepare --dataset kdef --root kdef --preparation system2 --out kdef-48""",
    join: """
        mien data join tables/jaffe tables/kdef --out tables/both
        mien data join tables/a tables/b tables/c --out tables/all --format json""",
    split: """
        mien data split --dataset jaffe --root jaffe --protocol by-subject --out folds.json
        mien data split --table tables/jaffe --protocol hold-out --out parts.json""",
    export: """
        mien data export --table tables/jaffe --out faces
        mien data export --table tables/jaffe --out faces --layout class-folders""",
    rights: """
        mien data rights
        mien data rights --dataset ferplus --dataset jaffe --format json""",
}
"""The commands of the group, each with the examples of its help."""
