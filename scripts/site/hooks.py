"""MkDocs' hook: adds the pages that are made from the code, so that nothing is written twice."""

from __future__ import annotations

from pathlib import Path

import command_pages
import dataset_pages
import error_pages
import head_pages
import python_pages
from llms import llms_txt
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation

ROOT = Path(__file__).parents[2]


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of heads, datasets and modules into the navigation, below their sections."""
    below = {
        "Heads": head_pages.navigation(),
        "Datasets": dataset_pages.navigation(),
        "Python": python_pages.navigation(),
    }
    assert config.nav is not None
    config.nav = [
        {name: below.get(name, pages)} for one in config.nav for name, pages in one.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {
        **head_pages.pages(ROOT),
        **dataset_pages.pages(ROOT),
        **python_pages.pages(ROOT),
        **error_pages.pages(ROOT),
        "cli.md": command_pages.page(),
    }
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Add ``llms.txt``, which lists what the navigation lists."""
    for page in nav.pages:
        page.read_source(config)
    text = llms_txt(config.site_name, config.site_description or "", nav)
    files.append(File.generated(config, "llms.txt", content=text))
    return nav
