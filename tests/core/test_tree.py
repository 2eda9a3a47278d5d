"""What a tree says about itself."""

from tests.detecting import tree_of


def test_every_directory_counts_the_files_anywhere_below_it() -> None:
    tree = tree_of({"README.md": "", "a/b/x.md": "", "a/b/y.md": "", "a/z.md": ""})
    assert tree.directories() == {"": 4, "a": 3, "a/b": 2}


def test_an_empty_tree_has_no_directory() -> None:
    assert not tree_of({}).directories()
