"""The source `kaggle`: a dataset of kaggle.com, downloaded by kagglehub or taken from its cache."""

import tarfile
import zipfile
import zlib
from pathlib import Path

import kagglehub
import requests
from kagglehub.cache import delete_from_cache, get_cached_archive_path
from kagglehub.clients import build_kaggle_client
from kagglehub.exceptions import DataCorruptionError, KaggleApiHTTPError
from kagglehub.handle import DatasetHandle, parse_dataset_handle
from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest

from versus import params
from versus.images.sources.errors import LAYOUTS, SourceError
from versus.images.sources.reader import read
from versus.images.sources.tree import File, copy

OTHER_SOURCES = ("set data.source to sample (photographs that are already installed), "
                 "folder (your own images in data.folder) or synthetic (drawn images)")
BROKEN_ARCHIVE = (DataCorruptionError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError,
                  RuntimeError)  # zipfile's, for a password or an unknown compression


def fetch(settings: params.Data, split: params.Split, target: Path) -> list[File]:
    """Copy the images of `settings.kaggle`; download it unless it is in kagglehub's cache."""
    root = _download(parse_dataset_handle(settings.kaggle))
    try:
        files, notes = read(root, settings, split)
    except SourceError as error:  # other projects may use the download, so it stays
        raise SourceError(f"data.kaggle: got {settings.kaggle!r}, downloaded to {str(root)!r}:\n{error}\nIf files are "
                          "missing there, remove that folder and run again") from error
    return copy(root, files, target, notes)


def _download(handle: DatasetHandle) -> Path:
    """Download and unpack the dataset with kagglehub; return its folder.

    kagglehub does not retry by itself. But if a part of the archive is on disk, even from an earlier run, it requests
    only the rest: so it is called again as long as the archive grows.
    """
    archive = Path(get_cached_archive_path(handle))
    while True:
        size_before = archive.stat().st_size if archive.is_file() else 0
        try:
            return Path(kagglehub.dataset_download(str(handle)))
        except KaggleApiHTTPError as error:
            raise SourceError(_refusal(handle, error.response.status_code)) from error
        except requests.RequestException as error:
            if not archive.is_file() or archive.stat().st_size <= size_before:
                raise SourceError("data.kaggle: no connection, or an interrupted one; expected to reach "
                                  f"{handle.to_url()}. Run again (the part already downloaded is kept), or "
                                  f"{OTHER_SOURCES}. Reason: {error}") from error
        except BROKEN_ARCHIVE as error:
            _discard(handle, archive, size_before, error)


def _discard(handle: DatasetHandle, archive: Path, size_before: int, error: Exception) -> None:
    """Remove an archive that cannot be unpacked; raise SourceError, unless it began as a download of an earlier run.

    In that case the earlier part may be at fault, and the whole archive is worth another download.
    """
    if not archive.is_file() and not isinstance(error, DataCorruptionError):
        raise SourceError(f"data.kaggle: {error}; expected valid Kaggle settings, or none") from error
    archive.unlink(missing_ok=True)
    delete_from_cache(handle)
    if not size_before:
        raise SourceError(f"data.kaggle: got {str(handle)!r}, whose download is not a whole zip or tar archive "
                          f"({str(error).strip()}); expected one that contains {LAYOUTS}. It has been removed from "
                          "kagglehub's cache; run again, or name another dataset") from error


def _refusal(handle: DatasetHandle, status: int) -> str:
    """Say why Kaggle answered with the HTTP `status` instead of the archive."""
    got = f"data.kaggle: got {str(handle)!r}"
    if status == 404 and (newest := _newest_version(handle)):
        return f"{got}, a version that Kaggle does not have; expected at most versions/{newest}, the newest"
    if status == 404:
        return (f"{got}, which Kaggle does not know (404); expected owner/dataset as in the address of its page, "
                "followed by a version")
    if status in (401, 403):
        return (f"{got}, which Kaggle does not release without an account or consent ({status}); expected a public "
                f"dataset. Agree to its terms at {handle.to_url()} and save an access token of your account "
                "(https://www.kaggle.com/settings) as ~/.kaggle/access_token, or name another dataset")
    return f"{got}, which Kaggle answers with HTTP status {status}; expected 200. Try again later, or {OTHER_SOURCES}"


def _newest_version(handle: DatasetHandle) -> int:
    """Ask Kaggle for the number of the dataset's newest version: 0 if it does not say."""
    request = ApiGetDatasetRequest()
    request.owner_slug, request.dataset_slug = handle.owner, handle.dataset
    try:
        with build_kaggle_client() as client:
            return client.datasets.dataset_api_client.get_dataset(request).current_version_number
    except requests.RequestException:
        return 0
