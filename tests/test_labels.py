"""Classes come from a table of labels, whose columns are found by their content or named."""

from collections import Counter

import pytest

from tests.helpers.cases import lay, write
from tests.helpers.sources import settings, split
from versus.images.sources.errors import SourceError
from versus.images.sources.reader import read


@pytest.fixture
def top(tmp_path):
    """Twelve images x0 to x11 in two folders that are no classes."""
    lay(tmp_path, "images_part_1", "images_part_2", count=6)
    for number, path in enumerate(sorted(tmp_path.glob("*/*.png"))):
        path.rename(path.with_name(f"x{number}.png"))
    return tmp_path


def used(root, **data):
    files, notes = read(root, settings(folder=str(root), labels="meta.csv", **data), split())
    counts = Counter((file.part, file.label) for file in files if not file.left_out)
    return dict(counts), Counter(file.left_out for file in files if file.left_out), notes


def refusal(root, **data):
    with pytest.raises(SourceError) as caught:
        used(root, **data)
    return str(caught.value)


def table(root, header, row, count=12, name="meta.csv"):
    write(root / name, header + "\n" + "".join(row(number) + "\n" for number in range(count)))


FORMS = {"name": "x{}", "suffix": "x{}.png", "path": "images_part_{part}/x{}.png", "other suffix": "x{}",
         "folder that is not there": "data/all/x{}.png", "backslashes": "all\\x{}.png"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_files_may_be_named_in_many_ways(top, form, between):
    table(top, f"id{between}what", lambda number: FORMS[form].format(number, part=1 + number // 6)
          + between + "ab"[number % 2])
    assert used(top)[0] == {("", "a"): 6, ("", "b"): 6}


def test_columns_are_found_by_their_content(top):  # HAM10000
    table(top, "lesion_id,image_id,dx,age",
          lambda number: f"L{number},x{number},{'nv' if number % 3 else 'mel'},{number}")
    counts, left_out, notes = used(top)
    assert counts == {("", "mel"): 4, ("", "nv"): 8} and left_out == {"the table of labels": 1}
    assert notes == ["labels: column 'dx' of 'meta.csv', files by column 'image_id'"]


def test_a_known_name_decides_between_columns_and_else_the_user(top):
    rows = lambda number: f"x{number},{number % 2},{'mf'[number % 2]}"  # noqa: E731
    table(top, "image,label,sex", rows)
    assert used(top)[0] == {("", "0"): 6, ("", "1"): 6}
    table(top, "image,size,sex", rows)
    message = refusal(top)
    assert "2 columns may be the classes; set data.class_column to one of 'size' (2 values), 'sex' (2 val" in message
    assert used(top, class_column="sex")[0] == {("", "f"): 6, ("", "m"): 6}
    assert "data.class_column: got 'sexx'; expected a column" in refusal(top, class_column="sexx")
    assert "'image', 'sex', 'size'" in refusal(top, file_column="img")


def test_one_column_for_each_class(top):  # ISIC
    rows = ("1.0,0.0,0.0", "0.0,1.0,0.0", "0.0,0.0,1.0")
    table(top, "image,MEL,NV,BCC", lambda number: f"x{number}," + rows[number % 3])
    assert used(top)[0] == {("", "MEL"): 4, ("", "NV"): 4, ("", "BCC"): 4}


def test_a_column_may_say_the_part(top):
    parts = ["train"] * 6 + ["valid"] * 3 + ["test"] * 3
    table(top, "file,label,data set", lambda number: f"x{number}.png,{'ab'[number % 2]},{parts[number]}")
    assert sum(number for (part, _), number in used(top)[0].items() if part == "train") == 6
    assert {part for part, _ in used(top)[0]} == {"train", "validation", "test"}


def test_images_and_rows_that_do_not_match_are_counted(top):
    table(top, "id,label", lambda number: f"x{number},{'ab'[number % 2]}" if number < 8 else f"gone{number},a")
    counts, left_out, notes = used(top)
    assert counts == {("", "a"): 4, ("", "b"): 4}
    assert left_out == {"unlabelled: not in the table of labels": 4, "the table of labels": 1}
    assert notes[1] == "rows of the table without an image: 4 ('gone10', 'gone11' and 2 more)"


def test_an_image_with_two_classes_is_left_out(top):
    table(top, "id,label", lambda number: f"x{number % 12},{'ab'[number % 2]}" if number < 12 else "x0,b", count=13)
    assert used(top)[1]["in the table with several classes"] == 1


@pytest.mark.parametrize("content, words", [
    ("", "no table"), ("one\ntwo\n", "table"), ("a,b\n1,2\n", "without a column that names the images")])
def test_what_is_no_table_of_labels_is_refused(top, content, words):
    write(top / "meta.csv", content)
    assert words in refusal(top)


def test_a_table_elsewhere_is_refused(top, tmp_path):
    assert "of which there are 0" in refusal(top) and "in the folder of the images" in refusal(top)


def test_a_column_says_which_images_belong_together(top):
    patients = ("p1", "p2", "", " p2 ")
    table(top, "image,patient,label", lambda number: f"x{number},{patients[number % 4]},{'ab'[number % 2]}")
    data = settings(folder=str(top), labels="meta.csv", group_column="patient")
    files, notes = read(top, data, split())
    assert Counter(file.group for file in files) == {"p1": 3, "p2": 6, "": 4}  # and the table itself
    assert notes[1] == "groups: column 'patient', 2 of 9 images"
    assert {file.group for file in read(top, settings(folder=str(top), labels="meta.csv"), split())[0]} == {""}


def test_the_column_of_groups_is_never_taken_for_the_classes(top):
    table(top, "image,diagnosis,patient", lambda number: f"x{number},{'ab'[number % 2]},{'pq'[number // 6]}")
    assert used(top, group_column="diagnosis")[0] == {("", "p"): 6, ("", "q"): 6}


def test_a_column_of_groups_that_is_not_there_or_tells_no_two_apart_is_refused(top):
    table(top, "image,label,site", lambda number: f"x{number},{'ab'[number % 2]},here")
    assert "data.group_column: got 'patient'; expected a column of" in refusal(top, group_column="patient")
    assert "got 'site', in which all images have 'here'; expected two" in refusal(top, group_column="site")
    table(top, "image,label,site", lambda number: f"x{number},{'ab'[number % 2]},")
    assert "in which all images have nothing" in refusal(top, group_column="site")


def test_an_image_of_two_groups_is_left_out(top):
    table(top, "image,label,patient", lambda number: f"x{number % 12},{'ab'[number % 2]},p{number % 5}", count=13)
    assert used(top, group_column="patient")[1]["in the table with several parts or groups"] == 1
