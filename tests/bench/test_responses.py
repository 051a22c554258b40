"""Tables of responses: read as csv reads them, by whichever way a row takes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.bench.responses import MISSING, read_responses, read_scores
from vedette.kernel.errors import BadInput

MEANT = {"0": 0, "1": 1, "": MISSING, "1.0": 1, " 0 ": 0}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_way_of_writing_is_read_alike(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    items = data.draw(st.sampled_from([1, 2, 39, 40, 41]))
    mark = data.draw(st.sampled_from([",", ";", "\t"]))
    plain = data.draw(st.sampled_from([["0", "1"], ["0", "1", ""], list(MEANT)]))
    names = data.draw(
        st.lists(st.text('ab"é,;\n ', min_size=1, max_size=5), min_size=1, max_size=4)
    )
    names = list(dict.fromkeys(f"s{name}".strip() for name in names))
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    rows = [[plain[n] for n in random.integers(0, len(plain), items)] for _ in names]
    path = tmp_path_factory.mktemp("r") / "r.csv"
    with path.open(
        "w", encoding=data.draw(st.sampled_from(["utf-8", "utf-8-sig"])), newline=""
    ) as f:
        end = data.draw(st.sampled_from(["\n", "\r\n"]))
        writer = csv.writer(
            f,
            delimiter=mark,
            lineterminator=data.draw(st.sampled_from([end, end + end])),
            quoting=data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        )
        writer.writerow(["subject", *(f"i{n}" for n in range(items))])
        writer.writerows([name, *row] for name, row in zip(names, rows, strict=True))
    found = read_responses(path)
    assert list(found.subjects) == names
    assert found.cells.tolist() == [[MEANT[cell] for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["2"] + ["1"] * 49, "item 'i0': '2' is neither"),
        (["1"] * 49 + ["/"], "item 'i49': '/' is neither"),
        (["1"] * 51, "52 cells, the first line has 51"),
        (["1"] * 48, "49 cells, the first line has 51"),
        (["1"] * 49 + ["٣"], "item 'i49'"),
    ],
)
def test_a_bad_cell_of_a_long_row_is_named(row: list[str], said: str, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    first = ",".join(["subject", *(f"i{n}" for n in range(50))])
    path.write_text(f"{first}\ns0,{','.join(['1'] * 50)}\n\ns1,{','.join(row)}\n")
    with pytest.raises(BadInput, match="line 4") as stop:
        read_responses(path)
    assert said in str(stop.value)


def test_scores_of_the_subjects_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("subject,item,score\na,i,1\nb,i,0.5\nc,i,1\n")
    assert [(s.subject, s.score) for s in read_scores(path, ("b", "a"))] == [("a", 1), ("b", 0.5)]
    with pytest.raises(BadInput, match=r"'d' has no score; next: there: a, b, c"):
        read_scores(path, ("a", "d"))
    path.write_text("subject,item,score,score\na,i,1,0\n")
    with pytest.raises(BadInput, match="two columns score"):
        read_scores(path)
