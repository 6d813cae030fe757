"""A stored model with a flipped bit is refused, or answers as it did; it never sets other prices in silence."""

import random
from collections.abc import Iterator
from pathlib import Path

import mlflow.sklearn
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from mlflow.models import Model, infer_signature
from sklearn.ensemble import RandomForestClassifier

from catalog.errors import ModelError
from catalog.names import TRUSTED_MODEL_TYPES
from catalog.settings import Settings
from catalog.tables.contracts import TABLES
from features.prior_forests import PriorForests
from features.stored_model import PRIOR_FILE, fingerprint_of, model_as_data, read_model
from serving import champion as champions
from serving.champion import Champion, load_champion
from warehouse.lake import Lake, Partition

ROWS = pd.DataFrame({"price_ratio": np.linspace(0.5, 1.5, 40)})


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store a small forest as a training does."""
    forest = RandomForestClassifier(n_estimators=5, random_state=7)
    forest.fit(ROWS, (ROWS["price_ratio"] + np.tile([0.3, -0.3], 20) < 1).astype(int))
    folder = tmp_path_factory.mktemp("logged") / "model"
    mlflow.sklearn.save_model(
        forest,
        str(folder),
        mlflow_model=Model(metadata={"odds_factor": 2.0, "trained_through": "2026-01-05"}),
        serialization_format="skops",
        skops_trusted_types=list(TRUSTED_MODEL_TYPES),
        signature=infer_signature(ROWS),
        pip_requirements=["scikit-learn"],
    )
    return folder


@pytest.fixture
def folder(stored: Path) -> Iterator[Path]:
    """Lend the stored model to a test, and put every byte back after it."""
    kept = {path: path.read_bytes() for path in stored.rglob("*") if path.is_file()}
    yield stored
    for path in [path for path in stored.rglob("*") if path.is_file() and path not in kept]:
        path.unlink()
    for path, content in kept.items():
        path.write_bytes(content)


@pytest.fixture
def lake(settings: Settings, stored: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Return a lake in which version 3 was judged, and let the registry give the stored model for it."""
    monkeypatch.setattr(champions, "refuse_absent_registry", lambda _settings: None)
    monkeypatch.setattr(champions, "holds_anything", lambda _file: True)
    monkeypatch.setattr("mlflow.tracking.MlflowClient", lambda *_at, **_settings: None)
    monkeypatch.setattr(champions, "_location", lambda _client, _version: stored.as_uri())
    monkeypatch.setattr("mlflow.artifacts.download_artifacts", lambda **_asked: str(stored))
    lake = Lake(settings)
    lake.prepare()
    lake.publish(version_row(), judged(fingerprint_of(stored)), inputs="3")
    return lake


def version_row() -> Partition:
    return Partition("model_versions", None, "v3")


def judged(sha256: str | None) -> pa.Table:
    """Return a row of `model_versions` with a fingerprint and otherwise nothing to say."""
    said = {"version": "3", "promoted": True, "model_sha256": sha256}
    columns = []
    for field in TABLES["model_versions"].schema:
        usual = None if field.nullable else "" if pa.types.is_string(field.type) else 0
        columns.append(pa.array([said.get(field.name, usual)], field.type))
    return pa.table(columns, schema=TABLES["model_versions"].schema)


def loaded(lake: Lake) -> Champion:
    found = load_champion(lake.settings, "3")
    assert found is not None
    return found


def test_the_model_that_was_registered_is_loaded(lake: Lake, folder: Path) -> None:
    assert loaded(lake).model.sha256 == fingerprint_of(folder)


@pytest.mark.parametrize("file", ["model.skops", "MLmodel"])
def test_a_flipped_bit_in_a_model_is_refused_or_harmless(lake: Lake, folder: Path, file: str) -> None:
    right, path = loaded(lake), folder / file
    content, draw, refused, answered = path.read_bytes(), random.Random(5), 0, 0
    for _ in range(25):
        damaged = bytearray(content)
        damaged[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(damaged))
        try:
            found = loaded(lake)
        except ModelError as error:
            refused += "old prices hold" in str(error)
        else:
            answered += 1
            assert np.array_equal(found.p_sale(ROWS), right.p_sale(ROWS))
            assert (found.trained_through, found.features) == (right.trained_through, right.features)
    assert refused > 0
    assert refused + answered == 25


def test_another_factor_of_the_odds_is_told_from_the_registered_one(lake: Lake, folder: Path) -> None:
    path = folder / "MLmodel"
    path.write_text(path.read_text(encoding="utf-8").replace("odds_factor: 2.0", "odds_factor: 3.0"), encoding="utf-8")
    assert read_model(folder).odds_factor == 3.0
    with pytest.raises(ModelError, match=r"version 3 is not what was registered.*train again or roll back"):
        loaded(lake)


def test_no_bit_of_any_file_beside_a_champion_flips_unseen(lake: Lake, folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert {path.name for path in files} >= {"MLmodel", "model.skops", "requirements.txt", "conda.yaml"}
    for path in files:
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 12)):
            for bit in (0, 3, 6):
                damaged = bytearray(content)
                damaged[place] ^= 1 << bit
                path.write_bytes(bytes(damaged))
                with pytest.raises(ModelError, match=r"version 3 .*old prices hold"):
                    loaded(lake)
        path.write_bytes(content)
    assert loaded(lake).version == "3"


def test_a_file_that_came_to_a_champion_later_is_told_and_what_mlflow_leaves_there_is_not(
    lake: Lake, folder: Path
) -> None:
    (folder / "registered_model_meta").write_text("model_name: shelfprice\n", encoding="utf-8")
    assert loaded(lake).version == "3"
    later = folder / "code.py"
    later.write_text("pass", encoding="utf-8")
    with pytest.raises(ModelError, match="is not what was registered"):
        loaded(lake)


def test_a_version_without_a_fingerprint_is_taken_as_it_is(lake: Lake, folder: Path) -> None:
    lake.publish(version_row(), judged(None), inputs="without files")
    assert loaded(lake).model.odds_factor == 2.0
    lake.remove(version_row())
    assert loaded(lake).model.odds_factor == 2.0


def test_a_damaged_row_of_a_version_proves_no_model(lake: Lake, folder: Path) -> None:
    path = lake.path(version_row())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=r"cannot be held against what was registered.*old prices hold"):
        loaded(lake)


def test_the_forests_of_products_and_days_are_read_with_the_model_and_other_types_are_refused(folder: Path) -> None:
    assert read_model(folder).prior.is_empty
    table = pd.DataFrame({"tier premium": [1.0, 0.0]}, index=["MILK", "BREAD"])
    (folder / PRIOR_FILE).write_bytes(model_as_data(PriorForests(attributes=table).plain()))
    stored = read_model(folder).prior.attributes
    assert stored is not None
    pd.testing.assert_frame_equal(stored, table)
    (folder / PRIOR_FILE).write_bytes(model_as_data({"products": Path("anywhere"), "days": None, "attributes": None}))
    with pytest.raises(ModelError, match="holds the untrusted type"):
        read_model(folder)
    (folder / PRIOR_FILE).write_bytes(b"PK")
    with pytest.raises(ModelError, match="cannot be read"):
        read_model(folder)
