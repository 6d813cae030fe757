from dashboard.data.versions import Version
from dashboard.figures import models as figures


def test_the_timeline_marks_each_version_by_where_it_stands_and_the_champion_stays_in_force_until_now(
    three: tuple[Version, ...],
) -> None:
    figure = figures.history(three, "light")
    drawn = {trace.name: list(trace.x) for trace in figure.data}
    assert drawn == {"in force": [0, 1, 2], "champion": [1], "was champion": [0], "waits": [], "refused": [2]}
    assert list(figure.layout.xaxis.ticktext) == ["v10<br>21 Jan", "v2<br>13 Jan", "v1<br>12 Jan"]
    assert figure.layout.yaxis.title.text == "log loss, nats a decision"
