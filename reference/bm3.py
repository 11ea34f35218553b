"""BM3: LightGCN with a residual on items, trained by predicting detached targets.

    C = [ C_U ; C_I ]  LightGCN embeddings on SYM
    u = C_U            i = C_I + X_I            f_m = pi_m(E^m)
    q(x) = Wq x + bq   Y = q(u)                 Z = q(i)

The whole training loss, without negatives, on the users u_b and positive items i_b of
the batch; sg(x) is x as a constant, cos(x, y) = < nrm(x), nrm(y) >:

    L_rec   = mean_b ( 1 - cos(q(u_b), sg(i_b)) ) + mean_b ( 1 - cos(q(i_b), sg(u_b)) )
    L_align = sum_m mean_b ( 1 - cos(q(f_m,b), sg(i_b)) )
    L_mask  = sum_m mean_b ( 1 - cos(q(f_m,b), sg(f_m,b)) )
    L_norm  = 1/2 mean_b ( |x_u|^2 + |x_i|^2 )      rows of the ID tables, before LightGCN
    total   = L_rec + feature_weight ( L_align + L_mask ) + reg_ids L_norm

Published: feature_weight 2. In training the targets are the same tables under dropout;
here its rate is 0. Features enter the loss only, so silencing changes no score.

L_norm is the penalty on ID rows that `reg_ids` also weighs in LightGCN. The released code
takes ( |u|_F + |i|_F ) / I instead, norms of whole tables and not squared: its weights of
0.1 and 0.01 do not carry over.

Source: Zhou et al., "Bootstrap Latent Representations for Multi-modal Recommendation"
(WWW 2023).
"""

import graphs
from graphs import WIDTH, linear, nrm
from layer_mean import layer_mean, split


def shapes(names):
    """Shapes of all parameters."""
    found = graphs.ids() | graphs.projections(names, preferences=False)
    return found | {"predictor.weight": (WIDTH, WIDTH), "predictor.bias": (1, WIDTH)}


def predict(rows, parameters):
    """q of every row."""
    return linear(rows, parameters["predictor.weight"], parameters["predictor.bias"])


def online(parameters, features, layers):
    """The tables u (U x d), i (I x d) and f_m (I x d) by modality, before q."""
    operator = graphs.sym(graphs.adjacency())
    users, items = split(layer_mean(parameters, operator, layers))
    projected = {
        m: linear(e, parameters[f"weight.{m}"], parameters[f"bias.{m}"])
        for m, e in features.items()
    }
    return users, items + parameters["item.id"], projected


def encode(parameters, features, config):
    """The tables Y (U x d) and Z (I x d), the same for every f(S)."""
    users, items, _ = online(parameters, features, config["ui_layers"])
    return predict(users, parameters), predict(items, parameters)


def distance(predicted, target):
    """mean_b ( 1 - cos(predicted_b, target_b) )."""
    return (1 - (nrm(predicted) * nrm(target)).sum(axis=1)).sum() / len(target)


def penalty(parameters, users, items):
    """L_norm; a row that occurs twice in the batch counts twice."""
    rows = parameters["user.id"][users], parameters["item.id"][items]
    return 0.5 * sum((table * table).sum() for table in rows) / len(users)


def parts(parameters, features, config, triples, targets):
    """L_rec, L_align, L_mask, L_norm; `targets` are `online` tables taken as constants."""
    u, i, _ = triples.T
    users, items, projected = online(parameters, features, config["ui_layers"])
    user_targets, item_targets, feature_targets = targets
    rec = distance(predict(users[u], parameters), item_targets[i])
    rec = rec + distance(predict(items[i], parameters), user_targets[u])
    align, mask = 0.0, 0.0
    for name, rows in projected.items():
        predicted = predict(rows[i], parameters)
        align = align + distance(predicted, item_targets[i])
        mask = mask + distance(predicted, feature_targets[name][i])
    norm = penalty(parameters, u, i)
    return {"rec": rec, "align": align, "mask": mask, "norm": norm}


def loss(parameters, features, config, triples, targets):
    """The whole training loss."""
    found = parts(parameters, features, config, triples, targets)
    by_features = config["feature_weight"] * (found["align"] + found["mask"])
    return found["rec"] + by_features + config["reg_ids"] * found["norm"]
