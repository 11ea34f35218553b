"""DeepStyle with one projection per modality and a learned vector per item category.

Shapes: U users, I items, C categories, width d, modality m of raw width d_m; item i has
category g(i); c^m is C x d.

    split:  y_hat(u, i) = x_u . x_i + sum_m p_u^m . ( W_m e_i^m + b_m - c^m_g(i) )
            Y_u = [ x_u ; p_u^m ... ],  Z_i = [ x_i ; W_m e_i^m + b_m - c^m_g(i) ... ]
            D = (1 + nM) d
    tied:   y_hat(u, i) = p_u . ( x_i + sum_m ( W_m e_i^m - c^m_g(i) ) )
            D = d; p_u is the table `user.id`

Source: Liu, Wu & Wang, "DeepStyle: Learning User Preferences for Visual Recommendation"
(SIGIR 2017), which has one modality and the tied form.
"""

import numpy as np

import graphs
import vbpr


def style(parameters, name, raw, categories, silenced, ablate_category):
    """W_m e_i^m + b_m - c^m_g(i) for every item; b_m only where the parameter exists.

    A silenced modality has E^m <- 1_I mean_i(e_i^m)^T and, if `ablate_category`, the
    row c^m_g(i) <- mean over items k of c^m_g(k).
    """
    category = parameters[f"category.{name}"][categories]
    if silenced:
        raw = vbpr.tiled_mean(raw)
        category = vbpr.tiled_mean(category) if ablate_category else category
    bias = parameters.get(f"bias.{name}")
    return graphs.linear(raw, parameters[f"weight.{name}"], bias) - category


def forward(parameters, features, categories, silenced, variant, ablate_category):
    """f(S): tables Y and Z with the modalities in S silenced.

    In `split` P^m of a silenced modality becomes 1_U mean_u(p_u^m)^T. In `tied` the one
    user table also carries the ID part and is never replaced.
    """
    users, items = [parameters["user.id"]], [parameters["item.id"]]
    for name, raw in features.items():
        mute = name in silenced
        items.append(style(parameters, name, raw, categories, mute, ablate_category))
        if variant == "split":
            preferences = parameters[f"user.{name}"]
            users.append(vbpr.tiled_mean(preferences) if mute else preferences)
    if variant == "tied":
        return users[0], sum(items)
    return np.concatenate(users, axis=1), np.concatenate(items, axis=1)
