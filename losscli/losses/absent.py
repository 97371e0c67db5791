"""Names of libraries that are not of the catalogue: why, and what to do instead.

Mostly scores, of which more is better: 1 minus a score is a loss, which has a name of its own.
"""

_EVERY_ERROR = "losscli compute mae --reduction none gives every error"
_ONE_HOT = "of several classes, give a column of 0 and 1 for each and --per class"
_SKILL = "it is the skill that losscli compute"
_BALANCED = "where the --weight of a row is 1 over the rows of its class"
_TEXTS = "it counts the edits between two texts, and losscli compares numbers"

#: names that share an advice, as libraries write them, and the advice; a "binary", "multiclass" or
#: "multilabel" before a name need not be said
ABSENT: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("sampled_softmax_loss",),
        "it samples classes of a layer: save its logits and use cross-entropy",
    ),
    (
        ("adaptive_log_softmax", "AdaptiveLogSoftmaxWithLoss"),
        "it needs the weights of its module: save its log_prob and use nll",
    ),
    (
        ("make_fenchel_young_loss",),
        "it makes a loss of a function: of logsumexp it is cross-entropy, of max "
        "multiclass-perceptron",
    ),
    # errors of regression
    (
        ("max_error",),
        f"it is the error of one row, and no mean: {_EVERY_ERROR}, of which it is the largest",
    ),
    (
        ("median_absolute_error",),
        f"a median cannot be had of sums over rows: {_EVERY_ERROR}, of which it is the median",
    ),
    (
        ("relative_squared_error",),
        "it is 1 minus the skill that losscli compute mse --baseline shows, of one column",
    ),
    (
        ("normalized_root_mean_squared_error", "nrmse"),
        "it is rmse over one number of the target: its mean, range, standard deviation or norm",
    ),
    (
        ("r2_score",),
        f"{_SKILL} mse --baseline shows, of one column; of several it is the mean of theirs",
    ),
    (
        ("explained_variance_score", "explained_variance"),
        f"{_SKILL} mse --baseline shows, of one column of predictions less their mean error",
    ),
    (("d2_absolute_error_score",), f"{_SKILL} mae --baseline shows, of one column"),
    (
        ("d2_pinball_score",),
        f"{_SKILL} quantile --quantile ALPHA --baseline shows, of one column",
    ),
    (("d2_tweedie_score",), f"{_SKILL} tweedie-deviance --power POWER --baseline shows"),
    (
        ("d2_log_loss_score",),
        f"{_SKILL} cross-entropy --input probs --baseline shows; of one column of probabilities, "
        "log-loss --baseline",
    ),
    (("d2_brier_score",), f"{_SKILL} brier --baseline shows"),
    # scores of labels
    (
        ("accuracy_score", "accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
        "it is 1 minus zero-one, of classes, or of scores with --threshold; for each of several "
        "labels a row, 1 minus hamming",
    ),
    (
        ("exact_match",),
        "it is 1 minus zero-one, where a row is wrong as soon as one of its labels is",
    ),
    (("balanced_accuracy_score",), f"it is 1 minus zero-one {_BALANCED}"),
    (
        ("multiclass_accuracy",),
        f"it is 1 minus zero-one with average='micro', and with 'macro' {_BALANCED}",
    ),
    (
        ("multiclass_hamming_distance",),
        "use zero-one: its mean is the distance with average='micro', and with 'macro' "
        f"{_BALANCED}",
    ),
    (
        ("precision_score", "precision"),
        f"it is 1 minus tversky --fp-weight 1 --fn-weight 0, of labels 0 and 1; {_ONE_HOT}",
    ),
    (
        ("recall_score", "recall"),
        f"it is 1 minus tversky --fp-weight 0 --fn-weight 1, of labels 0 and 1; {_ONE_HOT}",
    ),
    (("f1_score",), f"it is 1 minus dice, of labels 0 and 1; {_ONE_HOT}"),
    (
        ("fbeta_score",),
        "it is 1 minus tversky, of labels 0 and 1, with --fp-weight 1 / (1 + β²) and --fn-weight "
        f"β² / (1 + β²): 0.2 and 0.8 for β = 2; {_ONE_HOT}",
    ),
    (
        ("jaccard_score", "jaccard_index"),
        f"it is 1 minus jaccard, of labels 0 and 1; {_ONE_HOT}",
    ),
    (
        ("calibration_error", "ece", "expected_calibration_error"),
        "it puts forecasts in bins, and no row has a share of it: brier and log-loss are losses "
        "that calibrated forecasts lower",
    ),
    (
        ("equal_error_rate", "eer"),
        "it is a point of the curve of all thresholds: zero-one --threshold gives the error at one",
    ),
    # rankings of labels
    (
        ("label_ranking_loss", "multilabel_ranking_loss"),
        "it counts the pairs of labels in the wrong order: multilabel-margin --targets multi-hot "
        "adds up how far they are, of the same scores and labels",
    ),
    (
        ("coverage_error",),
        "it counts the labels down to the last true one: multilabel-margin --targets multi-hot "
        "adds up how far true ones are behind, of the same scores and labels",
    ),
    (
        (
            "label_ranking_average_precision_score",
            "multilabel_ranking_average_precision",
            "ndcg_score",
            "dcg_score",
        ),
        "it is a score of ranks: ranking-softmax is a loss of the same scores and relevance",
    ),
    # masks
    (
        ("dice_score",),
        "it is 1 minus dice, with --per image for average='micro' and --per image-class for "
        "'macro'",
    ),
    (
        ("generalized_dice_score",),
        "it is 1 minus dice of a table of pixels with --by IMAGE, a column of 0 and 1 for each "
        "class, and a --weight for each: 1 over the squared size of the class in the image",
    ),
    (
        ("multiclass_generalized_dice_loss",),
        "it weighs classes by the sizes that they have in a batch: use dice --input class-logits "
        "--smooth 2 --per image-class --row none --reduction none, and weigh the losses",
    ),
    (
        ("multiclass_dice_loss",),
        "it is the dice loss of each class, of the softmax of the scores: use dice --input "
        "class-logits --dialect mindspore --per class",
    ),
    (
        ("mean_iou", "one_hot_iou", "one_hot_mean_iou", "binary_iou"),
        "it is 1 minus jaccard, of a column of 0 and 1 for each class and --per class (keras) or "
        "--per image-class (torchmetrics)",
    ),
    (
        ("hausdorff_distance",),
        "it compares the outlines of masks: dice, jaccard and tversky compare their areas",
    ),
    # texts
    (
        (
            "word_error_rate",
            "char_error_rate",
            "match_error_rate",
            "translation_edit_rate",
            "edit_distance",
            "extended_edit_distance",
            "wer",
            "cer",
        ),
        f"{_TEXTS}: zero-one and perplexity are losses of tokens",
    ),
)
