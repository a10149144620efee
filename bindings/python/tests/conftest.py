"""Where the models of the repository are."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def corpus() -> Path:
    folder = ROOT / "corpus"
    assert folder.is_dir(), "these tests run in a checkout of the repository"
    return folder


@pytest.fixture(scope="session")
def resnet(corpus: Path) -> Path:
    return corpus / "zoo" / "resnet_bottleneck.model"
