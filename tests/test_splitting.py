"""Images are split as published or drawn, near-duplicates never on two sides, and every image accounted for."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from versus.images.duplicates import Duplicates
from versus.images.splitting import COLUMNS, SplitError, counts, median_side, remaining_leaks, split, summary
from versus.params import Split


def settings(**changes):
    return Split(**{"published": True, "validation": 0.2237, "test": 0.0, "leaks": "remove", "seed": 0} | changes)


def images(rows):
    """A table like data/raw.csv of (file, problem) or file alone."""
    files, problems = zip(*[(row, "") if isinstance(row, str) else row for row in sorted(rows, key=str)])
    parts = [file.split("/") for file in files]
    return pd.DataFrame({"file": files, "class": [part[-2] for part in parts],
                         "published": [part[0] if len(part) == 3 else "" for part in parts],
                         "sha256": [hashlib.sha256(file.encode()).hexdigest() for file in files], "problem": problems,
                         "format": "PNG", "conversion": ""})


def classes(count, per_class):
    return images([f"c{k:02}/{i:03}.png" for k in range(count) for i in range(per_class)])


def grouped(table, *groups, same=()):
    """Groups as `near_duplicates` gives them, given as files; those of `same` are of images that show the same."""
    result = Duplicates(np.arange(len(table)), np.arange(len(table)))
    for numbers, members in zip(result, ([*groups, *same], same)):
        for group in members:
            rows = np.flatnonzero(table.file.isin(group))
            numbers[rows] = rows[0]
    return result


def near(first):
    """Groups of near-duplicates of which no two images show the same."""
    return Duplicates(first, np.arange(len(first)))


PUBLISHED = ["train/a/1.png", "train/a/2.png", "train/a/3.png", "train/b/1.png", "train/b/2.png",
             "validation/a/1.png", "validation/b/1.png"]


def test_a_published_split_stays():
    raw = images(PUBLISHED)
    table = split(raw, grouped(raw), settings())
    assert tuple(table.columns) == COLUMNS
    assert table.path.tolist() == table.file.tolist() == raw.file.tolist()
    assert set(table.reason) == {"published"}
    assert set(table.group) == {""}


def test_leaks_are_removed_from_training_or_stay():
    raw = images(PUBLISHED)
    leak, inner = ["train/a/1.png", "validation/a/1.png"], ["train/b/1.png", "train/b/2.png"]
    raw.loc[raw.file.isin(leak), "sha256"] = "same"
    groups = grouped(raw, leak, inner)
    removed = split(raw, groups, settings())
    fate = removed.set_index("file").loc["train/a/1.png"]
    assert fate.to_dict() == {"class": "a", "part": "", "path": "", "group": "train/a/1.png",
                              "reason": "same group as validation/a/1.png in validation"}
    assert (removed.part != "").sum() == len(raw) - 1
    numbers = {"classes": 2, "train": 4, "validation": 2, "problems": 0, "label_conflicts": 0,
               "near_duplicate_groups": 2, "leaks_exact": 1, "leaks_near": 0, "leaks_removed": 1,
               "leaks_unavoidable": 0, "train_a": 2, "validation_a": 1, "train_b": 2, "validation_b": 1}
    assert counts(removed, raw) == numbers and remaining_leaks(numbers) == 0
    untouched = split(raw, groups, settings(leaks="keep"))
    assert (untouched.reason == "published").all()
    assert counts(untouched, raw) == numbers | {"train": 5, "train_a": 3, "leaks_removed": 0}
    assert remaining_leaks(counts(untouched, raw)) == 1


def test_a_published_split_can_be_drawn_again():
    raw = images([f"{part}/{name}/{i}.png" for part in ("train", "validation") for name in "ab" for i in range(10)])
    table = split(raw, grouped(raw), settings(published=False, validation=0.25))
    assert table.path.is_unique  # though files of both published parts have the same names
    assert set(table.reason) == {"drawn"}
    assert table[table.part == "validation"].groupby("class").size().tolist() == [5, 5]


def test_a_source_with_training_images_only_has_no_split_to_keep():
    raw = images([f"train/{name}/{i}.png" for name in "ab" for i in range(10)])
    assert (split(raw, grouped(raw), settings()).part == "validation").sum() == 4


def test_images_without_a_part_beside_a_published_split_are_drawn():
    raw = images(PUBLISHED + [f"{name}/{i}.png" for name in "ab" for i in range(10, 20)])
    table = split(raw, grouped(raw), settings())
    assert table.reason.value_counts().to_dict() == {"drawn": 20, "published": 7}
    assert (table.part[table.reason == "drawn"] == "validation").sum() == 4


def test_draw_is_stratified_seeded_and_exact():
    raw = classes(2, 447)
    tables = [split(raw, grouped(raw), settings(seed=seed)) for seed in (0, 0, 1)]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    for table in tables:
        assert table[table.part == "validation"].groupby("class").size().tolist() == [100, 100]
    assert counts(tables[0], raw)["train"] == 694


def test_every_image_is_drawn_equally_often():
    raw = classes(2, 40)
    tables = [split(raw, grouped(raw), settings(seed=seed, validation=0.25)) for seed in range(200)]
    times_in_validation = sum(table.part == "validation" for table in tables)
    assert times_in_validation.between(20, 85).all()  # 50 expected, 6 the standard deviation


@pytest.mark.parametrize("seed", range(30))
def test_near_duplicates_are_never_in_two_parts(seed):
    rng = np.random.default_rng(seed)
    raw = classes(rng.integers(2, 8), rng.integers(12, 60))
    first = np.arange(len(raw))
    for _ in range(len(raw) // 4):  # groups of up to four, also across classes, chained where they meet
        rows = rng.choice(len(raw), rng.integers(2, 5), replace=False)
        if (np.bincount(first, minlength=len(raw))[first[rows]] == 1).all():
            first[rows] = rows.min()
    table = split(raw, near(first), settings(seed=seed))
    assert (table[table.group != ""].groupby("group").part.nunique() == 1).all()
    assert counts(table, raw)["leaks_near"] == counts(table, raw)["leaks_exact"] == 0
    validation = table[table.part == "validation"].groupby("class").size()
    assert (abs(validation - 0.2237 * len(raw) / raw["class"].nunique()) <= 2).all()


def test_the_share_is_reached_with_pairs_alone():
    raw = classes(2, 20)
    first = np.arange(40) // 2 * 2
    table = split(raw, near(first), settings(validation=0.3))
    assert table[table.part == "validation"].groupby("class").size().tolist() == [6, 6]


@pytest.mark.parametrize(("count", "per_class", "expected"), [(2, 4, 1), (20, 30, 7), (100, 4, 1)])
def test_few_images_of_many_classes_are_split_evenly(count, per_class, expected):
    raw = classes(count, per_class)
    table = split(raw, grouped(raw), settings())
    assert table[table.part == "validation"].groupby("class").size().tolist() == [expected] * count


def test_a_group_too_large_for_the_share_still_leaves_both_parts():
    raw = classes(2, 4)
    pairs = np.arange(8) // 2 * 2  # one image of four is wanted, which pairs cannot give
    assert split(raw, near(pairs), settings()).groupby(["class", "part"]).size().tolist() == [2, 2, 2, 2]


def test_files_with_a_problem_are_in_neither_part():
    raw = images([*[f"{name}/{i}.png" for name in "ab" for i in range(10)], ("a/broken.png", "cannot be decoded")])
    table = split(raw, grouped(raw), settings())
    fate = table.set_index("file").loc["a/broken.png"]
    assert (fate.part, fate.path, fate.reason) == ("", "", "problem: cannot be decoded")
    assert counts(table, raw)["problems"] == 1


def video(classes="AB", frames=40):
    """Frames of a video of each class, and their groups."""
    raw = images([f"{name}/{name}{i}.png" for name in classes for i in range(1, frames + 1)])
    return raw, [raw.file[raw["class"] == name].tolist() for name in classes]


def test_a_class_that_is_one_group_is_split_inside_it_and_the_leak_is_said():
    raw, videos = video()
    table = split(raw, grouped(raw, *videos), settings())
    assert table[table.part == "validation"].file.tolist() == [f"{name}/{name}{i}.png" for name in "AB"
                                                               for i in range(32, 41)]  # of 40 frames the last
    assert (table.reason == "drawn inside a group: a class of it cannot be split otherwise").all()
    numbers = counts(table, raw)
    assert (numbers["leaks_near"], numbers["leaks_removed"], numbers["leaks_unavoidable"]) == (62, 0, 62)
    assert "62 training images stay although validation has near-duplicates of them" in summary(numbers)


def test_only_the_class_that_cannot_be_split_otherwise_is_split_inside_its_group():
    raw, (video_a, video_b) = video()
    table = split(raw, grouped(raw, video_a, video_b[:30]), settings())
    assert set(table[table["class"] == "B"].reason) == {"drawn"}
    numbers = counts(table, raw)
    assert (numbers["validation_B"], numbers["leaks_unavoidable"]) == (9, 31)


def test_one_group_of_all_images_of_all_classes_is_split_inside():
    raw, videos = video("ABC")
    table = split(raw, grouped(raw, sum(videos, [])), settings())
    assert table[table.part == "validation"].groupby("class").size().tolist() == [9, 9, 9]
    assert counts(table, raw)["leaks_unavoidable"] == 93


def test_images_that_show_the_same_stay_together_inside_a_group():
    raw, (frames, others) = video()
    stills = [frames[i:i + 5] for i in range(0, 40, 5)]  # each five frames show the same
    table = split(raw, grouped(raw, frames, same=stills), settings())
    parts = table.set_index("file").part
    assert all(parts[still].nunique() == 1 for still in stills)
    assert (parts[frames] == "validation").sum() == 10


def test_a_class_of_one_image_again_and_again_is_split_and_said():
    raw = images([f"{name}/{i}.png" for name in "ab" for i in range(4)])
    table = split(raw, grouped(raw, same=[[f"b/{i}.png" for i in range(4)]]), settings())
    assert counts(table, raw)["validation_b"] == 1
    assert counts(table, raw)["leaks_unavoidable"] == 3


def test_leaks_stay_where_a_class_has_no_other_training_images():
    raw = images(PUBLISHED)
    pairs = ["train/b/1.png", "train/b/2.png", "validation/b/1.png"], ["train/a/1.png", "validation/a/1.png"]
    table = split(raw, grouped(raw, *pairs), settings())
    reasons = table.set_index("file").reason
    assert reasons["train/b/1.png"] == ("published, though same group as validation/b/1.png in validation: its "
                                        "class has no other images in its part")
    assert reasons["train/a/1.png"] == "same group as validation/a/1.png in validation"
    numbers = counts(table, raw)
    assert (numbers["leaks_near"], numbers["leaks_removed"], numbers["leaks_unavoidable"]) == (3, 1, 2)


@pytest.mark.parametrize("published", [True, False])
def test_the_same_image_in_two_classes_is_left_out_and_said(published):
    raw = images([f"{part}/{name}/{i}.png" for part in ("train", "validation") for name in "ab" for i in range(4)])
    conflicts = [["train/a/1.png", "train/b/2.png"], ["validation/a/0.png", "train/b/3.png", "train/b/0.png"]]
    table = split(raw, grouped(raw, same=[*conflicts, ["train/a/2.png", "train/a/3.png"]]),
                  settings(published=published))
    fates = table.set_index("file").loc[sum(conflicts, [])]
    assert set(fates.part) == set(fates.path) == {""}
    assert fates.reason.tolist() == [f"label conflict: the same image as {file}" for file in
                                     ("train/b/2.png", "train/a/1.png", "train/b/0.png", "validation/a/0.png",
                                      "validation/a/0.png")]
    assert counts(table, raw)["label_conflicts"] == 5
    assert "5 images are left out, since the same image is in another class" in summary(counts(table, raw))
    assert (table.part == "").sum() == 5


@pytest.mark.parametrize(("rows", "group", "message"), [
    (["a/1.png", "a/2.png"], [], r"got usable images of 1 classes, \['a'\]; expected two"),
    (["a/1.png", "a/2.png", "b/1.png"], [], "got no image of class 'b' in train: 1 of its 1 files are usable"),
    ([*PUBLISHED, "train/c/1.png"], [], "no image of class 'c' in validation.*split.published to false"),
    (["a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png", "c/1.png"], ["a/3.png", "c/1.png"],
     "'c' in train and validation: 0 of its 1 files are usable, 1 are left out as the same images as in other classes"),
    (["a/1.png", "a/2.png", "b/1.png", "b/2.png", ("c/1.png", "empty file")], [], "0 of its 1 files are usable"),
])
def test_what_cannot_be_split_is_refused(rows, group, message):
    raw = images(rows)
    with pytest.raises(SplitError, match=message):
        split(raw, grouped(raw, same=[group]) if group else grouped(raw), settings())


def test_the_median_side_is_that_of_images_in_a_part():
    images = pd.DataFrame({"file": ["a", "b", "c", "d"], "width": [16, 40, 0, 100], "height": [64, 40, 0, 100]})
    table = pd.DataFrame({"file": ["d", "a", "b", "c"], "part": ["train", "train", "validation", ""]})
    assert median_side(table, images) == 40


def test_a_published_test_part_stays_and_validation_is_drawn_from_training():
    raw = images([f"{part}/{name}/{i}.png" for part in ("train", "test") for name in "ab" for i in range(20)])
    table = split(raw, grouped(raw), settings(validation=0.25))
    assert (table.part[table.file.str.startswith("test/")] == "test").all()
    assert table.groupby(["class", "part"]).size().tolist() == [20, 15, 5, 20, 15, 5]
    assert counts(table, raw)["test"] == 40 and counts(table, raw)["test_a"] == 20


@pytest.mark.parametrize("published", [True, False])
def test_a_test_part_is_drawn_beside_the_same_validation_part(published):
    raw = classes(3, 40) if not published else images(
        [f"{part}/{name}/{i}.png" for part in ("train", "validation") for name in "ab" for i in range(40)])
    without, table = (split(raw, grouped(raw), settings(validation=0.25, test=share)) for share in (0.0, 0.25))
    assert (without.file[without.part == "validation"].tolist() == table.file[table.part == "validation"].tolist())
    assert (table[table.part == "test"].groupby("class").size() == 10).all()
    assert "test" not in counts(without, raw)


def test_training_and_validation_images_like_a_test_image_are_leaks():
    parts = ("train", "validation", "test")
    raw = images([f"{part}/{name}/{i}.png" for part in parts for name in "ab" for i in range(3)])
    groups = grouped(raw, ["train/a/0.png", "validation/a/0.png", "test/a/0.png"], ["train/b/1.png", "test/b/1.png"])
    table = split(raw, groups, settings()).set_index("file")
    assert table.reason[table.part == ""].to_dict() == {
        "train/a/0.png": "same group as test/a/0.png in test",
        "validation/a/0.png": "same group as test/a/0.png in test",
        "train/b/1.png": "same group as test/b/1.png in test"}


def test_names_in_the_split_say_the_format():
    raw = images(["a/1.jpg?w=300", "a/2.tif", "b/1", "b/2.png"])
    raw["format"] = ["JPEG", "TIFF", "PNG", "PNG"]
    raw.loc[1, "conversion"] = "transparent"
    paths = set(split(raw, grouped(raw), settings(validation=0.5)).path)
    assert {path.split("/", 1)[1] for path in paths} == {"a/1.jpg?w=300.jpg", "a/2.png", "b/1.png", "b/2.png"}


def test_videos_that_cannot_be_split_otherwise_are_split_into_three_parts():
    raw, videos = video(frames=40)
    table = split(raw, grouped(raw, *videos), settings(validation=0.25, test=0.25))
    assert table.groupby(["class", "part"]).size().tolist() == [10, 20, 10] * 2
    assert counts(table, raw)["leaks_unavoidable"] == 60
    assert "60 training and validation images stay although validation and test have" in summary(counts(table, raw))


def test_validation_images_stay_where_the_test_part_would_leave_their_class_without():
    parts = ("train", "validation", "test")
    raw = images([f"{part}/{name}/{i}.png" for part in parts for name in "ab" for i in range(2)])
    groups = grouped(raw, ["validation/a/0.png", "validation/a/1.png", "test/a/0.png"])
    table = split(raw, groups, settings()).set_index("file")
    assert set(table.reason[table.part == "validation"]) == {
        "published", "published, though same group as test/a/0.png in test: its class has no other images in its part"}
