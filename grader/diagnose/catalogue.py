"""The catalogue of slips: by operation and kind, what a student is told."""

from __future__ import annotations

from collections.abc import Mapping

OPERATIONS: Mapping[str, str] = {
    "Mm": "the matrix product",
    "Bmm": "the matrix product",
    "Mul": "the product",
    "Div": "the division",
    "Sum": "the sum",
    "Mean": "the mean",
    "Pow": "the power",
    "Index": "the lookup",
    "Neg": "the minus",
    "Sub": "the difference",
    "Add": "the addition",
    "Tanh": "tanh",
    "Exp": "exp",
    "Log": "log",
    "Max": "the maximum",
    "Amax": "the maximum",
    "Softmax": "the softmax",
}

# By operation and kind of slip; the operation "" stands for any.
SLIPS: Mapping[tuple[str, str], str] = {
    ("", ""): "Your {d} is what comes out if one thing goes wrong at {step}. Look at {op} there.",
    ("", "skipped"): "Your {d} is what comes out if {op} in {step} is passed by, as if it had slope 1. Look at {step}.",
    (
        "",
        "negated",
    ): "Your {d} is what comes out if the sign is turned around at {op} in {step}. Look for a minus there.",
    ("", "slope_only"): "Your {d} is what comes out if {op} in {step} gives its slope alone. What came back to {step} "
    "must be multiplied in.",
    ("", "divided_by_slope"): "Your {d} divides by the slope of {op} in {step}. The chain rule multiplies.",
    ("", "added_to_slope"): "Your {d} adds the slope of {op} in {step} to what came back. The chain rule multiplies.",
    ("", "subtracted_slope"): "Your {d} subtracts the slope of {op} in {step} from what came back. The chain rule "
    "multiplies.",
    ("", "slope_twice"): "Your {d} has the slope of {op} in {step} in it twice. Each step is gone through once.",
    (
        "",
        "divided_by_upstream",
    ): "Your {d} divides by what came back to {step}. An upstream gradient is always a factor.",
    ("", "upstream_ones"): "Your {d} does not use what came back to {step}; it is what comes out for an upstream "
    "gradient of ones.",
    ("", "upstream_exchanged"): "Your {d} is what comes out if {detail} is sent back through {step}, in place of what "
    "came back to {step}.",
    (
        "",
        "upstream_first",
    ): "Your {d} uses what came back to {step} at the first entry of axis {detail} only. All of them count.",
    (
        "",
        "upstream_last",
    ): "Your {d} uses what came back to {step} at the last entry of axis {detail} only. All of them "
    "count; a loop that assigns keeps the last one.",
    (
        "",
        "not_summed",
    ): "{read} was shared by many entries of {step}, and your {d} is what comes out if their gradients "
    "are not added up.",
    ("", "summed_to_one"): "Your {d} adds up everything to one number, at {step}. Each entry of {read} has a gradient "
    "of its own.",
    ("", "axis_kept"): "The numbers of your {d} are right, but an axis of size 1 is left over. Look for a keepdim.",
    ("", "axis_lost"): "The numbers of your {d} are right, but an axis of size 1 got lost. Look for a missing keepdim.",
    ("", "first_only"): "Your {d} uses the first entry of axis {detail} only, at {step}. All of them share {read}.",
    (
        "",
        "last_only",
    ): "Your {d} uses the last entry of axis {detail} only, at {step}. All of them share {read}; a loop "
    "that assigns keeps the last one.",
    ("", "summed_over"): "Your {d} is summed over axis {detail} of {step}, the wrong one. Which axis was {read} shared "
    "along?",
    ("", "averaged_over"): "Your {d} is a mean over axis {detail} of {step}. That is neither the axis nor the sum.",
    ("", "upstream_itself"): "Your {d} is what comes out if what came back to {step} is handed on to {read} unchanged. "
    "Between the two there is a step with a slope.",
    ("", "slope_at"): "Your {d} takes the slope of {op} in {step} at {detail}. That is not what the slope is made of.",
    ("", "partner"): "Your {d} is what comes out if {read} is multiplied by {detail} on the way to {step}. The forward "
    "multiplies it by something else.",
    ("", "partner_over"): "Your {d} divides by {detail} where {read} goes into {step}.",
    ("", "own_factor"): "At {step}, your {d} multiplies by the factor itself. In a product, each factor gets the other "
    "one.",
    (
        "",
        "product_instead",
    ): "At {step}, your {d} multiplies by the whole product. Only the other factor scales a move.",
    ("", "quotient_rule"): "At {step}, your {d} follows the rule of a quotient, and the forward has a product.",
    ("", "mask_missing"): "Your {d} leaves the mask of {step} out. An entry that is dropped cannot change the output.",
    (
        "",
        "turned_upside_down",
    ): "Your {d} is one over the right gradient of {step}: what should be multiplied was divided.",
    ("", "mask_inverted"): "Your {d} keeps what the mask drops at {step}, and drops what it keeps.",
    (
        "",
        "parentheses_lost",
    ): "Your {d} is what comes out at {step} if parentheses are missing: a product or a quotient "
    "binds tighter than a minus.",
    (
        "",
        "square_missing",
    ): "Your {d} has a slope of {op} in {step} without a square. It must be the same at a point and "
    "at its mirror image.",
    ("", "square_added"): "Your {d} has a plus in the slope of {op} in {step}. The slope gets smaller away from zero.",
    ("", "sigmoid_rule"): "Your {d} uses the rule of the sigmoid in {step}, and the forward has {op}.",
    ("", "tanh_rule"): "Your {d} uses the rule of tanh in {step}, and the forward has {op}.",
    ("", "relu_rule"): "Your {d} uses the rule of the ReLU in {step}, and the forward has {op}.",
    ("", "bracket_squared"): "Your {d} squares a whole bracket in the slope of {op} in {step}.",
    ("", "applied_twice"): "Your {d} applies {op} once more to {step}. {step} has been through it already.",
    ("", "upstream_in_the_slope"): "Your {d} has {step} and what came back to it exchanged in the slope of {op}.",
    ("", "one_missing"): "Your {d} has only one part of the slope of {op} in {step}.",
    ("", "power_rule"): "Your {d} uses the power rule in {step}. In {op} the variable is the exponent.",
    ("", "input_as_slope"): "Your {d} uses the input of {op} in {step} as its slope.",
    ("", "differentiated_twice"): "Your {d} has {op} in {step} differentiated once too often.",
    ("", "exp_rule"): "Your {d} uses the rule of exp in {step}, and the forward has {op}.",
    ("", "output_as_input"): "Your {d} uses the output of {op} in {step} where its input belongs.",
    ("", "number_added"): "Your {d} adds {detail} inside {op} in {step}. The forward does not.",
    (
        "",
        "exponent_kept",
    ): "Your {d} keeps the exponent in {step} as it was. The derivative of a power has another one.",
    ("", "factor_missing"): "Your {d} lowers the exponent in {step}, but a factor that comes with it is missing.",
    ("", "neither_lowered_nor_factor"): "Your {d} uses the power in {step} as its own slope.",
    ("", "exponent_raised"): "Your {d} raises the exponent in {step}. It goes the other way.",
    ("", "exponent_turned"): "Your {d} has an exponent of the wrong sign in {step}. Check where the slope is large.",
    ("", "square_assumed"): "Your {d} uses the rule for a square in {step}. The exponent is another one.",
    ("", "towards_exponent"): "Your {d} differentiates {step} towards its exponent, which brings in a logarithm.",
    ("", "slope_of_a_line"): "Your {d} has the same slope everywhere for {op} in {step}. A power is steeper in some "
    "places than in others.",
    ("", "integrated"): "Your {d} uses the rule for an integral in {step}.",
    ("", "inner_number_missing"): "Your {d} leaves out the small number that the forward adds before {op} in {step}.",
    ("", "not_expanded"): "Your {d} is what came back to {step}, not yet handed to every entry that went into it.",
    (
        "",
        "upstream_summed",
    ): "Your {d} adds up what came back to {step} once more. Each entry of {step} stands for itself.",
    (
        "",
        "times_input",
    ): "Your {d} multiplies by {read} at {op} in {step}. That step has slope 1, however large an entry is.",
    ("", "only_first"): "Your {d} is filled from the first entry of an axis only, at {op} in {step}.",
    ("", "only_last"): "Your {d} is filled from the last entry of an axis only, at {op} in {step}. A loop that assigns "
    "keeps the last one.",
    (
        "",
        "not_transposed",
    ): "Your {d} multiplies by the other factor as it stands, at {op} in {step}. Check which of its "
    "axes should meet which.",
    (
        "",
        "reshaped",
    ): "Your {d} turns a factor over by reshaping it, at {op} in {step}. That keeps the numbers in order; "
    "a transpose does not.",
    ("", "result_turned"): "Your {d} lies on its side: rows and columns are swapped, at {op} in {step}.",
    ("", "other_order"): "Your {d} has the two factors of {op} in {step} in the other order.",
    (
        "",
        "partner_ones",
    ): "Your {d} does not use the other factor of {op} in {step}; it is what comes out if that is ones.",
    (
        "",
        "summed_before",
    ): "Your {d} adds up before it multiplies, at {op} in {step}. Each pair has a product of its own.",
    ("", "products_not_summed"): "Your {d} still has an axis that {op} in {step} adds up. Its products are right.",
    ("", "not_routed"): "Your {d} is what came back to {step}, not yet put where {op} took it from.",
    ("", "to_every_entry"): "Your {d} gives what came back to every entry. {op} in {step} reads a single one.",
    ("", "smallest"): "Your {d} gives what came back to the smallest entry, and the forward takes the largest.",
    ("", "positive_entries"): "Your {d} gives what came back to every positive entry, as for a ReLU. {op} compares "
    "entries with each other.",
    ("", "maximum_of_other_axis"): "Your {d} looks for the maximum along the wrong axis, in {step}.",
    (
        "",
        "every_row",
    ): "Your {d} fills the chosen columns in every row: [:, index] takes all pairs. Each row has its own.",
    ("", "not_collected"): "Your {d} is what came back to {step}, not yet collected where {op} took it from.",
    ("", "overwritten"): "Your {d} is what comes out if what is looked up several times is written instead of added: "
    "with repeated indices, = and += keep one of them.",
    ("", "everywhere"): "Your {d} is filled everywhere. {op} in {step} reads some entries only.",
    (
        "",
        "averaged_per_token",
    ): "Your {d} is a mean over the uses of each row. Every use moves the output, so they add up.",
    ("", "same_for_all"): "Your {d} gives every used row the same sum. A row gets what belongs to its own places.",
    ("", "shifted"): "Your {d} has its rows shifted by one at {op} in {step}. Indices count from 0.",
    ("", "axes_mixed"): "Your {d} is what comes out if two axes are exchanged by reshaping, at {op} in {step}.",
    (
        "",
        "shared_sum_ignored",
    ): "Your {d} keeps the sum in the softmax {step} fixed. Every entry changes it, and so all others of its row.",
    ("", "diagonal_only"): "Your {d} has the effect of each entry on its own {step} only. It also moves the others.",
    ("", "sum_not_weighted"): "Your {d} takes a plain sum in the softmax {step}. Its entries do not weigh alike.",
    ("", "plain_mean"): "Your {d} takes a plain mean in the softmax {step}. Its entries do not weigh alike.",
    ("", "sum_added"): "Your {d} adds what comes through the shared sum of the softmax {step}. A larger sum makes all "
    "smaller.",
    ("", "mean_for_sum"): "Your {d} takes a mean in the softmax {step} where nothing is divided.",
    (
        "Softmax",
        "parentheses_lost",
    ): "One part of your {d} is not scaled by {step}. Check that it sums to zero along the axis of the softmax.",
    ("", "not_scaled"): "Your {d} is not scaled by {step}. An entry of almost no probability moves almost nothing.",
    ("", "scaled_twice"): "Your {d} is scaled by {step} once too often.",
    ("", "log_softmax_rule"): "Your {d} is the gradient through a log-softmax. {step} has no log in it.",
    ("", "upstream_as_target"): "Your {d} is {step} minus what came back to it, as if that were a target.",
    ("", "other_axis"): "Your {d} sums over the wrong axis of the softmax {step}.",
}
