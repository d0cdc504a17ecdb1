"""The ImageNet weights of ResNet-50 that a framework downloads: checked before they are loaded, and never deleted.

They cannot be had where these tests run, so other files stand in their place.
"""

import hashlib
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from versus.recipe.weights import WeightsError


def test_missing_imagenet_weights_name_the_file(adapter, cache, no_network):
    message = f"no network.*{cache.name} elsewhere and put it at {cache}, {adapter.OTHERWISE}"
    with pytest.raises(WeightsError, match=message):
        adapter.fetch_imagenet()


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_wrong_imagenet_weights_are_named_and_left_alone_and_never_run(adapter, cache, tmp_path, no_network):
    adapter.save_imagenet(cache)
    planted = tmp_path / "planted"
    algorithm, published = adapter.CHECKSUM
    for content in (cache.read_bytes(), b"<html>not found</html>", b"", pickle.dumps(Malicious(planted))):
        cache.write_bytes(content)
        got = hashlib.new(algorithm, content).hexdigest()
        message = f"{cache}: got {algorithm} {got[:16]}…, expected {published[:16]}…; download "
        with pytest.raises(WeightsError, match=re.escape(message)):
            adapter.fetch_imagenet()
        assert cache.read_bytes() == content
    assert not planted.exists()


def test_imagenet_weights_are_downloaded_once(adapter, cache, tmp_path, monkeypatch):
    """With a file whose checksum is right, as the published one's would be."""
    (tmp_path / "site").mkdir()
    published = adapter.publish(tmp_path / "site", monkeypatch)
    downloaded = adapter.fetch_imagenet()
    content = published.read_bytes()
    published.unlink()
    for once, again in zip(downloaded, adapter.fetch_imagenet(), strict=True):
        np.testing.assert_array_equal(once, again)
    assert cache.with_name(published.name).read_bytes() == content
