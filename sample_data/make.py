"""Write the sample files next to this script and print the losses they should give.

The files are held-out outputs of ordinary scikit-learn models on data sets that ship inside
scikit-learn, so they are real predictions that anyone can rebuild without a download:

    python sample_data/make.py

Every split, model and draw is seeded and the linear algebra runs on one thread, so two runs on
one machine write the same bytes. `README.md` describes the files and is written by hand.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import hinge_loss, log_loss, mean_absolute_error, mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

FOLDER = Path(__file__).resolve().parent
SEED = 0
N_DIGITS_TEST = 360
N_PAIRS_PER_LABEL = 200

Rows = NDArray[np.intp]


def split_rows(
    n_rows: int, test_size: float | int, stratify: NDArray[np.int64] | None = None
) -> tuple[Rows, Rows]:
    """Return the row numbers of the training and held-out parts, each in data-set order."""
    train, test = train_test_split(
        np.arange(n_rows), test_size=test_size, random_state=SEED, stratify=stratify
    )
    return np.sort(train), np.sort(test)


def write_csv(frame: pd.DataFrame, name: str) -> None:
    """Write a CSV file with a header, no index, unix newlines and round-trip floats."""
    frame.to_csv(FOLDER / name, index=False, lineterminator="\n")


def write_mindspore() -> None:
    """Write the nine elements of the example in MindSpore's HingeEmbeddingLoss documentation."""
    pred = np.array([0.9, -1.2, 2, 0.8, 3.9, 2, 1, 0, -1])
    target = np.array([1, 1, -1, 1, -1, 1, -1, 1, 1], dtype=np.int64)
    frame = pd.DataFrame({"pred": pred, "target": target})
    write_csv(frame, "mindspore.csv")
    write_csv(frame[["pred"]], "mindspore_pred.csv")
    write_csv(frame[["target"]], "mindspore_target.csv")
    pq.write_table(pa.table({"pred": pred, "target": target}), FOLDER / "mindspore.parquet")


def write_cancer() -> None:
    """Write a linear SVM's scores and a logistic regression's probabilities of a benign mass.

    Both models see the same split. The Parquet fields are declared non-nullable.
    """
    x, label01 = load_breast_cancer(return_X_y=True)  # 0 = malignant, 1 = benign
    label01 = label01.astype(np.int64)
    label = 2 * label01 - 1
    train, test = split_rows(len(x), 0.5, stratify=label01)

    svm = make_pipeline(StandardScaler(), LinearSVC(random_state=SEED))
    svm.fit(x[train], label[train])
    svm_frame = pd.DataFrame(
        {
            "id": test,
            "score": svm.decision_function(x[test]),
            "label": label[test],
            "label01": label01[test],
        }
    )
    write_csv(svm_frame, "cancer_svm.csv")

    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    logistic.fit(x[train], label01[train])
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("prob", pa.float64(), nullable=False),
            pa.field("logit", pa.float64(), nullable=False),
            pa.field("label01", pa.int64(), nullable=False),
        ]
    )
    table = pa.table(
        {
            "id": test,
            "prob": logistic.predict_proba(x[test])[:, 1],
            "logit": logistic.decision_function(x[test]),
            "label01": label01[test],
        },
        schema=schema,
    )
    pq.write_table(table, FOLDER / "cancer_logistic.parquet")


def write_digits() -> None:
    """Write a multinomial logistic regression's logits and probabilities for ten digits.

    The CSV file has one column per logit. The Parquet file has the same rows as lists: the logits
    fixed-size, the probabilities variable-size.
    """
    x, label = load_digits(return_X_y=True)
    label = label.astype(np.int64)
    train, test = split_rows(len(x), N_DIGITS_TEST, stratify=label)

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(x[train], label[train])
    logits = model.decision_function(x[test])
    probs = model.predict_proba(x[test])
    n_classes = logits.shape[1]

    frame = pd.DataFrame(logits, columns=[f"logit_{k}" for k in range(n_classes)])
    frame["label"] = label[test]
    write_csv(frame, "digits_logits.csv")

    table = pa.table(
        {
            "scores": pa.array(list(logits), type=pa.list_(pa.float64(), n_classes)),
            "probs": pa.array(list(probs), type=pa.list_(pa.float64())),
            "label": label[test],
        }
    )
    pq.write_table(table, FOLDER / "digits.parquet")


def write_diabetes() -> None:
    """Write the predictions of a ridge regression and a random forest, with a sample weight.

    The weight makes low, middle and high targets count equally: the training targets' range is
    cut in three equal widths, and a held-out row weighs one over the share of held-out rows in
    its third. The weights average 3, so dividing by their sum or by the row count differs.
    """
    x, target = load_diabetes(return_X_y=True, scaled=False)
    train, test = split_rows(len(x), 0.5)

    ridge = make_pipeline(StandardScaler(), Ridge(alpha=1.0))
    ridge.fit(x[train], target[train])
    forest = RandomForestRegressor(n_estimators=200, min_samples_leaf=5, random_state=SEED)
    forest.fit(x[train], target[train])

    edges = np.linspace(target[train].min(), target[train].max(), 4)
    third = np.digitize(target[test], edges[1:-1])
    weight = len(test) / np.bincount(third)[third]
    frame = pd.DataFrame(
        {
            "id": test,
            "target": target[test],
            "ridge": ridge.predict(x[test]),
            "forest": forest.predict(x[test]),
            "weight": weight,
        }
    )
    write_csv(frame, "diabetes.csv")
    write_csv(frame[["ridge"]], "diabetes_pred.csv")
    write_csv(frame[["target"]], "diabetes_target.csv")


def write_pairs() -> None:
    """Write distances between pairs of held-out digits, half of them of the same digit.

    An image's embedding is its projection by a linear discriminant analysis of the training part,
    scaled to unit length, so that distances lie in [0, 2] and a margin of 1 is meaningful.
    """
    x, digit = load_digits(return_X_y=True)
    train, test = split_rows(len(x), N_DIGITS_TEST, stratify=digit)

    lda = LinearDiscriminantAnalysis().fit(x[train], digit[train])
    embedding = normalize(lda.transform(x[test]))

    first, second = np.triu_indices(len(test), k=1)
    same = digit[test[first]] == digit[test[second]]
    rng = np.random.default_rng(SEED)
    drawn = np.sort(
        np.concatenate(
            [
                rng.choice(np.flatnonzero(same), N_PAIRS_PER_LABEL, replace=False),
                rng.choice(np.flatnonzero(~same), N_PAIRS_PER_LABEL, replace=False),
            ]
        )
    )
    first, second, same = first[drawn], second[drawn], same[drawn]
    frame = pd.DataFrame(
        {
            "pair": [f"{i}-{j}" for i, j in zip(test[first], test[second], strict=True)],
            "distance": np.linalg.norm(embedding[first] - embedding[second], axis=1),
            "label": np.where(same, 1, -1),
        }
    )
    write_csv(frame, "pairs.csv")


def read_csv(name: str) -> np.ndarray:
    """Read a CSV file as a structured array, every float exactly as written."""
    return np.genfromtxt(FOLDER / name, delimiter=",", names=True, dtype=None, encoding="utf-8")


def hinge_embedding_loss(
    distance: NDArray[np.float64], label: NDArray[np.int64], margin: float = 1.0
) -> float:
    """Return the mean hinge embedding loss, which scikit-learn does not have."""
    return float(np.where(label == 1, distance, np.maximum(0.0, margin - distance)).mean())


def expected_losses() -> dict[str, float]:
    """Compute from the files as written the losses that `README.md` lists."""
    mindspore = read_csv("mindspore.csv")
    svm = read_csv("cancer_svm.csv")
    logistic = pq.read_table(FOLDER / "cancer_logistic.parquet").to_pandas()
    digits_logits = read_csv("digits_logits.csv")
    logits = np.column_stack([digits_logits[f"logit_{k}"] for k in range(10)])
    digits = pq.read_table(FOLDER / "digits.parquet").to_pandas()
    probs = np.stack(digits["probs"].to_list())
    diabetes = read_csv("diabetes.csv")
    target, ridge, forest = diabetes["target"], diabetes["ridge"], diabetes["forest"]
    weight = diabetes["weight"]
    pairs = read_csv("pairs.csv")
    return {
        "hinge_embedding_loss(mindspore.pred, mindspore.target)": hinge_embedding_loss(
            mindspore["pred"], mindspore["target"]
        ),
        "hinge_loss(svm.label, svm.score)": hinge_loss(svm["label"], svm["score"]),
        "log_loss(logistic.label01, logistic.prob)": log_loss(
            logistic["label01"], logistic["prob"]
        ),
        "log_loss(digits.label, probs)": log_loss(digits["label"], probs),
        "hinge_loss(digits_logits.label, logits)": hinge_loss(digits_logits["label"], logits),
        "mean_squared_error(target, ridge)": mean_squared_error(target, ridge),
        "mean_squared_error(target, ridge, sample_weight=weight)": mean_squared_error(
            target, ridge, sample_weight=weight
        ),
        "mean_absolute_error(target, ridge)": mean_absolute_error(target, ridge),
        "mean_absolute_error(target, ridge, sample_weight=weight)": mean_absolute_error(
            target, ridge, sample_weight=weight
        ),
        "mean_squared_error(target, forest)": mean_squared_error(target, forest),
        "mean_squared_error(target, forest, sample_weight=weight)": mean_squared_error(
            target, forest, sample_weight=weight
        ),
        "mean_absolute_error(target, forest)": mean_absolute_error(target, forest),
        "mean_absolute_error(target, forest, sample_weight=weight)": mean_absolute_error(
            target, forest, sample_weight=weight
        ),
        "hinge_embedding_loss(pairs.distance, pairs.label)": hinge_embedding_loss(
            pairs["distance"], pairs["label"]
        ),
    }


def main() -> None:
    """Write every file, then print the expected losses."""
    with threadpool_limits(limits=1):
        write_mindspore()
        write_cancer()
        write_digits()
        write_diabetes()
        write_pairs()
    for call, value in expected_losses().items():
        print(f"{call} = {float(value)!r}")


if __name__ == "__main__":
    main()
