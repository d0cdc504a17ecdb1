"""What folders mean: which are classes, which are parts, which are neither; the same for every source."""

import os
import shutil
import unicodedata
from collections import Counter

import pytest

from tests.helpers.cases import lay, photo, save, write
from tests.helpers.sources import settings, split
from versus.images.sources.errors import SourceError
from versus.images.sources.reader import read
from versus.images.sources.tree import describe


def places(root, **changes):
    """The numbers of images by (part, class), and of files that are left out by the reason."""
    files, _ = read(root, settings(folder=str(root)), split(**changes))
    assert sorted(str(file.path) for file in files) == sorted(
        path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())  # each once
    used = Counter((file.part, file.label) for file in files if not file.left_out)
    return dict(used), dict(Counter(file.left_out for file in files if file.left_out))


def refusal(root, **changes):
    data = {name: changes.pop(name) for name in ("labels", "file_column", "class_column") if name in changes}
    with pytest.raises(SourceError) as caught:
        read(root, settings(folder=str(root), **data), split(**changes))
    return str(caught.value)


def of_parts(*parts, names="ab", count=3):
    return {(part, name): count for part in parts for name in names}


# parts

@pytest.mark.parametrize("train, validation", [
    ("train", "val"), ("Training", "Validation"), ("training_set", "validation_set"), ("seg_train", "seg_val"),
    ("train_images", "valid_images"), ("TRAIN", "VALID"), ("TrainData", "ValData"), ("trainset", "valset"),
    ("images_train", "images_val"), ("cats-vs-dogs-train", "cats-vs-dogs-valid"), ("01_train", "02_dev")])
def test_names_of_parts_as_people_write_them(tmp_path, train, validation):
    lay(tmp_path, *(f"{part}/{name}" for part in (train, validation) for name in "ab"))
    assert places(tmp_path) == (of_parts("train", "validation"), {})


@pytest.mark.parametrize("test", ["test", "Testing", "test_set", "seg_test", "eval", "evaluation", "holdout"])
def test_a_test_part_stays_one(tmp_path, test):
    train = "seg_train" if test == "seg_test" else "train"
    parts = (train, train.replace("train", "val"), test)
    lay(tmp_path, *(f"{part}/{name}" for part in parts for name in "ab"))
    assert places(tmp_path)[0] == of_parts("train", "validation", "test")


def test_doubled_folders_and_unlabelled_ones_beside_the_parts(tmp_path):  # Intel image classification
    labelled = (f"seg_{part}/seg_{part}/{name}" for part in ("train", "test") for name in "ab")
    lay(tmp_path, *labelled, "seg_pred/seg_pred")
    assert places(tmp_path) == (of_parts("train", "test"), {"beside the parts, in 'seg_pred'": 3})


def test_an_empty_part_is_none(tmp_path):
    lay(tmp_path, *(f"{part}/{name}" for part in ("train", "test") for name in "ab"))
    (tmp_path / "val").mkdir()
    assert places(tmp_path) == (of_parts("train", "test"), {})


@pytest.mark.parametrize("unlabelled", ["test", "test/unknown", "test/test", "test1"])
def test_unlabelled_images_beside_labelled_ones_are_left_out(tmp_path, unlabelled):
    lay(tmp_path, "train/a", "train/b", unlabelled)
    used, left_out = places(tmp_path)
    assert used == of_parts("") and list(left_out.values()) == [3]
    assert "unlabelled" in str(left_out)


@pytest.mark.parametrize("names", [("train", "plane"), ("train_station", "test_tube"), ("a test", "no test"),
                                   ("training shoe", "val d'isère"), ("0", "1"), ("class_1", "class_2"), ("s1", "s2"),
                                   ("mask", "no_mask"), ("photo", "sketch"), ("c0", "c1", "c10")])
def test_classes_may_have_names_like_parts(tmp_path, names):
    lay(tmp_path, *names)
    assert places(tmp_path) == ({("", name): 3 for name in names}, {})


def test_parts_inside_the_classes(tmp_path):
    lay(tmp_path, *(f"{name}/{part}" for part in ("train", "test") for name in "ab"))
    assert places(tmp_path) == (of_parts("train", "test"), {})


def test_two_folders_for_one_part_are_refused_unless_one_has_the_plain_name(tmp_path):
    lay(tmp_path, *(f"{part}/{name}" for part in ("train", "val", "valid") for name in "ab"))
    assert "'val', 'valid'" in refusal(tmp_path) and "Rename the others" in refusal(tmp_path)
    (tmp_path / "valid").rename(tmp_path / "val_set")
    assert places(tmp_path) == (of_parts("train", "validation"),
                                {"another folder than 'val' for one part, in 'val_set'": 6})


# classes

def test_folders_inside_a_class_belong_to_it(tmp_path):
    lay(tmp_path, "cats/own", "cats/kaggle/2020", "dogs/own", "dogs/kaggle")
    assert places(tmp_path) == ({("", "cats"): 6, ("", "dogs"): 6}, {})
    assert "folders inside the classes" in " ".join(read(tmp_path, settings(), split())[1])


@pytest.mark.parametrize("above", ["", "archive/", "data set/PetImages/"])
def test_folders_above_the_classes_do_not_matter(tmp_path, above):
    lay(tmp_path, f"{above}a", f"{above}b")
    assert places(tmp_path) == (of_parts(""), {})


@pytest.mark.parametrize("inner", ["copy", "copy/deeper"])
def test_a_copy_of_the_classes_one_level_deeper_is_left_out(tmp_path, inner):  # rock paper scissors
    lay(tmp_path, "paper", "rock", "scissors")
    for name in ("paper", "rock", "scissors"):
        shutil.copytree(tmp_path / name, tmp_path / inner / name)
    assert places(tmp_path) == (of_parts("", names=("paper", "rock", "scissors")),
                                {"a copy of the classes, one level deeper, in 'copy'": 9})


def test_a_copy_of_the_whole_set_is_left_out(tmp_path):
    lay(tmp_path, "one/train/a", "one/train/b", "one/test/a", "one/test/b")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert places(tmp_path) == (of_parts("train", "test"), {"a copy of 'one'": 12})


def test_logs_and_results_beside_the_classes_are_left_out(tmp_path):
    lay(tmp_path, "a", "b")
    lay(tmp_path, "results/plots", "logs", count=1)
    write(tmp_path / "logs/train.log", "epoch 1")
    write(tmp_path / "model.h5", b"\x89HDF")
    save(photo(9), tmp_path / "cover.png")
    used, left_out = places(tmp_path)
    assert used == of_parts("") and sum(left_out.values()) == 5
    assert left_out["unlabelled: in no folder of a class"] == left_out["no image (.h5)"] == 1
    lay(tmp_path / "wood", "logs", "planks")
    assert places(tmp_path / "wood") == (of_parts("", names=("logs", "planks")), {})


@pytest.mark.parametrize("name", ["unlabeled", "unlabelled images", "test", "val"])
def test_unlabelled_folders_beside_the_classes_are_left_out(tmp_path, name):
    lay(tmp_path, "a", "b", name)
    assert places(tmp_path) == (of_parts(""), {f"unlabelled, in {name!r}": 3})


@pytest.mark.parametrize("folders", [("a/images", "a/masks", "b/images", "b/masks"),
                                     ("images/a", "images/b", "masks/a", "masks/b")])
def test_masks_are_no_images_of_a_class(tmp_path, folders):  # COVID-19 radiography
    lay(tmp_path, *folders)
    used, left_out = places(tmp_path)
    assert used == of_parts("") and sum(left_out.values()) == 6 and "masks" in str(left_out)


def test_masks_beside_their_images_are_left_out(tmp_path):  # BUSI
    lay(tmp_path, "a", "b")
    for name in ("0_mask", "0_mask_1", "1 mask"):
        save(photo(1), tmp_path / "a" / f"{name}.png")
    save(photo(2), tmp_path / "a/gas_mask.png")  # of nothing
    assert places(tmp_path) == ({("", "a"): 4, ("", "b"): 3}, {"masks": 3})


@pytest.mark.parametrize("folders", [
    ("HAM10000_images_part_1", "HAM10000_images_part_2"), ("train_images", "test_images"), ("images", "masks"),
    ("train", "test"), ("images_001/images", "images_002/images"), ("fold1", "fold2", "fold3"), ("batch_a", "batch_b"),
    ("JPEGImages", "SegmentationClass"), ("train_1", "train_2"), ("image", "label"), ("train/images", "train/masks")])
def test_pieces_of_one_set_are_refused_and_the_table_named(tmp_path, folders):
    lay(tmp_path, *folders)
    message = refusal(tmp_path)
    assert "look like pieces of one set" in message and "If a CSV file has the classes" in message, message
    names = [path.stem for path in sorted(tmp_path.rglob("*.png"))]
    write(tmp_path / "meta.csv", "id,what\n" + "".join(f"{name},x\n" for name in names))
    write(tmp_path / "prices.csv", "day,price\nMonday,3\n")
    assert "set data.labels to 'meta.csv'" in refusal(tmp_path) and "prices" not in refusal(tmp_path)


@pytest.mark.parametrize("sets", [("color", "grayscale", "segmented"), ("original", "resized_224")])
def test_versions_of_one_set_are_refused(tmp_path, sets):  # PlantVillage
    lay(tmp_path, *(f"{version}/{name}" for version in sets for name in "ab"))
    message = refusal(tmp_path)
    assert "several sets of images" in message and f"data.folder to one of them: {str(tmp_path / sets[0])!r}" in message


def test_several_domains_with_the_same_classes_are_refused(tmp_path):  # Office-31
    lay(tmp_path, *(f"{domain}/images/{name}" for domain in ("amazon", "dslr", "webcam") for name in "abcd"), count=1)
    assert "several sets of images" in refusal(tmp_path) and "'a', 'b', 'c', 'd'" in refusal(tmp_path)


def test_several_sets_with_parts_are_refused(tmp_path):  # MVTec
    lay(tmp_path, *(f"{thing}/{part}/{name}" for thing in ("bottle", "cable") for part in ("train", "test")
                    for name in ("good", "broken")))
    assert "several sets of images" in refusal(tmp_path) and "'bottle', 'cable'" in refusal(tmp_path)


def test_no_classes_are_refused(tmp_path):
    assert "no folders of images" in refusal(tmp_path)
    lay(tmp_path, "only")
    assert "images of one folder alone, 'only'" in refusal(tmp_path)


# names

def test_unicode_forms_are_one_name(tmp_path):
    names = [unicodedata.normalize(form, "café") for form in ("NFC", "NFD")]
    lay(tmp_path, f"train/{names[0]}", "train/tea", f"val/{names[1]}", "val/tea")
    assert places(tmp_path) == (of_parts("train", "validation", names=(names[0], "tea")), {})


def test_names_of_every_kind_are_classes(tmp_path):
    names = ("NA", "nan", "None", "True", "1e5", "007", "10", "2", "=1+1", "-", "+", "St. Bernard", "a,b",
             'say "hi"', "p_x", "seed", "ünï çödé", "日本", "🐱", "two\nlines", "tab\there", "{a}", "100%", "$HOME",
             "`id`", "[red]x", " ")
    lay(tmp_path, *names, count=2)
    assert places(tmp_path) == ({("", name): 2 for name in names}, {})


def test_all_differences_between_parts_are_told_with_the_nearest_names(tmp_path):
    lay(tmp_path, *(f"Training/{name}" for name in ("Apple", "Tomato not Ripened 1", "Plum")),
        *(f"Test/{name}" for name in ("Apple", "Tomato not Ripen 1", "Cherry")))
    message = refusal(tmp_path)
    for words in ("'Tomato not Ripened 1' in train, not in test, where there is 'Tomato not Ripen 1'",
                  "'Plum' in train, not in test", "'Cherry' in test, not in train", "split.published to false"):
        assert words in message
    assert "Apple" not in message
    used, _ = places(tmp_path, published=False)
    assert {name for _, name in used} == {"Apple", "Tomato not Ripened 1", "Plum", "Tomato not Ripen 1", "Cherry"}


def test_all_problems_of_a_folder_are_told_at_once(tmp_path):
    lay(tmp_path, "a", "b")
    lay(tmp_path, "single", "lonely", count=1)
    os.symlink("/nowhere/gone.jpg", tmp_path / "a/gone.jpg")
    os.symlink(tmp_path / "b", tmp_path / "linked")
    os.rename(tmp_path / "b/0.png", os.fsencode(tmp_path / "b") + b"/caf\xe9.png")
    message = refusal(tmp_path)
    for words in ("too few images of 2 classes, 'lonely' 1, 'single' 1; expected 2 or more of each",
                  "links to nothing (1), 'a/gone.jpg'", "links to folders (1), 'linked'", "a new image there would go",
                  "names that are not UTF-8 (1), 'b/caf", "convmv"):
        assert words in message, message
    message.encode()  # can be printed anywhere


@pytest.mark.parametrize("test, needed", [(0.0, 2), (0.2, 3)])
def test_each_class_needs_an_image_for_every_part(tmp_path, test, needed):
    lay(tmp_path, "a", "b", count=5)
    lay(tmp_path, "few", count=needed - 1)
    assert f"'few' {needed - 1}; expected {needed} or more" in refusal(tmp_path, test=test)
    save(photo(8), tmp_path / "few/more.png")
    assert places(tmp_path, test=test)[0]["", "few"] == needed


# files

def test_content_decides_not_the_suffix(tmp_path):
    lay(tmp_path, "b")
    for number, name in enumerate(("0.jpg", "1.jpg?w=300", "2.jpg_large", "3.jpg!d", "4", "5.txt")):
        save(photo(number), tmp_path / "a" / name, format="JPEG")
    for name in ("empty.jpg", "page.png", "photo.HEIC"):  # by name, and then told to be unusable
        write(tmp_path / "a" / name, b"<html>404</html>" if name == "page.png" else b"")
    for name in ("notes.txt", ".hidden.jpg", "Thumbs.db", "desktop.ini", "._0.jpg", "Icon\r", "x.nef",
                 "__MACOSX/x.jpg"):
        write(tmp_path / "a" / name, "no image")
    used, left_out = places(tmp_path)
    assert used == {("", "a"): 9, ("", "b"): 3}
    assert left_out == {"no image (.txt)": 1, "hidden, or of the operating system": 6,
                        ".nef, which is not read: export it as TIFF or PNG": 1}


def test_what_is_left_out_is_said_in_a_line_for_each_reason(tmp_path):
    lay(tmp_path, "train/a", "train/b", "test", count=40)
    files, _ = read(tmp_path, settings(), split())
    assert describe(files) == ["80 images of 2 classes: 'a' 40, 'b' 40",
                               "left out, unlabelled, in 'test': 40 ('test/0.png', 'test/1.png' and 38 more)"]
