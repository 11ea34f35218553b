"""Rivals of counterfactual distillation: weights, factors, and the objective of one step.

gb        Wang, Tran & Feiszli, CVPR 2020     losses of heads blended by gain and overfitting
ogm       Peng et al., CVPR 2022              gradients of the leading modality scaled down
cohesion  the loss of COHESION, SIGIR 2025    parts of a margin weighted triple by triple
agm       Li et al., ICCV 2023                gradients of responses scaled by a changing lead
cml       Ma et al., ICML 2023                margins must not rise when a modality is removed
g2d       Rakib & Bagavathi, ICCV 2025        teachers; the weakest modality learns first
mmpareto  Wei & Hu, ICML 2024                 gradients of own losses give way in conflict
arl       Wei, Luo & Luo, ICCV 2025           steps in the inverse ratio of variances

All carried over to pairwise ranking: margins under ablations take the place of logits.
"""

from itertools import combinations

import numpy as np

import losses
import objective
import vbpr


def margins(parameters, inputs):
    """Margins of the batch: full, ids (B), uni and loo (nM x B)."""
    names = list(inputs.features)

    def of(silenced):
        users, items = vbpr.forward(parameters, inputs.features, silenced)
        return vbpr.margins(users, items, inputs.triples)

    return {
        "full": of([]),
        "ids": of(names),
        "uni": np.stack([of(vbpr.uni(names, name)) for name in names]),
        "loo": np.stack([of(vbpr.loo(name)) for name in names]),
    }


def penalty(parameters, inputs, reg):
    """L_reg of the full pass."""
    users, items = vbpr.forward(parameters, inputs.features)
    return losses.l2(users, items, inputs.triples, reg)


def blend(heads):
    """GB's weights from rows (train before, validation before, train after, validation after)."""
    train_0, held_0, train_1, held_1 = np.array(heads, float).T
    gain = np.maximum(held_0 - held_1, 0.0)
    gap = (held_1 - train_1) - (held_0 - train_0)
    raw = np.maximum(gain / np.maximum(gap**2, 1e-8), 1e-8)
    return raw / raw.sum()


def gb_ranking(parameters, inputs, weights):
    """sum_m w_m L_m + w_joint L_BPR; the last weight is the joint one."""
    found = margins(parameters, inputs)
    heads = [losses.bpr(row) for row in found["uni"]] + [losses.bpr(found["full"])]
    return sum(w * head for w, head in zip(weights, heads, strict=True))


def gb_total(parameters, inputs, weights, reg):
    """The same, and L_reg."""
    return gb_ranking(parameters, inputs, weights) + penalty(parameters, inputs, reg)


def gb_reached(parameters, inputs, weights):
    """What each parameter's gradient of L_reg is multiplied by: the weight of the losses that reach it."""
    names = list(inputs.features)
    own = {f".{name}": w + weights[-1] for name, w in zip(names, weights[:-1], strict=True)}
    whole = len(names) == 1
    return {
        key: next((w for end, w in own.items() if key.endswith(end) and not whole), 1.0)
        for key in parameters
    }


def ogm_contributions(found, contribution, ids=False):
    """a^m_b: the margin of uni(m), or the modality's own part with 1/nM of the ids'.

    Where ids take part, their margin is a row of its own and no part of the others.
    """
    if ids:
        whole = contribution == "ablated"
        own = found["uni"] - found["ids"] if whole else found["full"] - found["loo"]
        return np.concatenate([own, found["ids"][None]])
    if contribution == "ablated":
        return found["uni"]
    return found["full"] - found["loo"] + found["ids"] / len(found["loo"])


def ogm_factors(scores, alpha):
    """rho^m against the mean of the others, k^m = 1 - tanh(alpha rho) where rho > 1."""
    scores = np.array(scores, float)
    if len(scores) == 1:
        return {"rho": np.ones(1), "k": np.ones(1)}
    others = np.array([np.delete(scores, m).mean() for m in range(len(scores))])
    rho = scores / others
    return {"rho": rho, "k": np.where(rho > 1, 1 - np.tanh(alpha * rho), 1.0)}


def touched_spread(gradient):
    """Sample standard deviation over the rows of a table that are not all zero."""
    rows = gradient[np.any(gradient != 0, axis=1)]
    return np.std(rows, ddof=1) if rows.size > 1 else 0.0


def cohesion_parts(found):
    """D_ids and D_m = full - loo(m), (1 + nM) x B."""
    return np.concatenate([found["ids"][None], found["full"] - found["loo"]])


def cohesion_weights(parts):
    """a_k = 1 - softmax over the parts, per triple."""
    powers = np.exp(parts - parts.max(axis=0))
    return 1 - powers / powers.sum(axis=0)


def cohesion_total(parameters, inputs, a, reg):
    """mean sp(-( sum_k a_k D_k + n/(n+1) rest )) + L_reg with the weights a held."""
    found = margins(parameters, inputs)
    parts = cohesion_parts(found)
    rest = found["full"] - parts.sum(axis=0)
    margin = (a * parts).sum(axis=0) + (len(parts) - 1) / len(parts) * rest
    return losses.bpr(margin) + penalty(parameters, inputs, reg)


def agm_responses(found, ids=False):
    """phi^m = ( uni(m) - ids + full - loo(m) ) / 2; then the margin of the ids."""
    own = (found["uni"] - found["ids"] + found["full"] - found["loo"]) / 2
    return np.concatenate([own, found["ids"][None]]) if ids else own


def agm_ratios(responses):
    """r^m = exp( s^m - mean of the other s ), in [0.1, 10]; s^m = mean ln sig(phi^m)."""
    s = -losses.softplus(-responses).mean(axis=1)
    if len(s) == 1:
        return np.ones(1)
    others = np.array([np.delete(s, m).mean() for m in range(len(s))])
    return np.clip(np.exp(s - others), 0.1, 10.0)


def agm_factors(history, alpha):
    """kappa^m of the last of several steps' ratios: exp(-alpha (r_t - mean r_1..t))."""
    history = np.array(history)
    return np.exp(-alpha * (history[-1] - history.mean(axis=0)))


def agm_total(parameters, inputs, kappa, held, reg, ids=False):
    """The loss whose gradient through phi^m is multiplied by kappa^m, at responses `held`."""
    found = margins(parameters, inputs)
    moving = agm_responses(found, ids) - held
    margin = found["full"] + ((kappa - 1)[:, None] * moving).sum(axis=0)
    return losses.bpr(margin) + penalty(parameters, inputs, reg)


def cml_gaps(found):
    """Delta_without(m) - Delta, nM x B: how much surer the model is without m."""
    return found["loo"] - found["full"]


def cml_total(parameters, inputs, strength, reg):
    """L_BPR + L_reg + strength mean over m and b of max(Delta_without(m) - Delta, 0)."""
    found = margins(parameters, inputs)
    gaps = cml_gaps(found)
    hinge = losses.mean(np.where(np.real(gaps) > 0, gaps, 0))
    return losses.bpr(found["full"]) + strength * hinge + penalty(parameters, inputs, reg)


def g2d_learners(epoch, count, hold):
    """How many of `count` participants learn in an epoch, counted from 1."""
    return count if epoch > hold else 1 + (epoch - 1) * (count - 1) // hold


def g2d_learn(sure, learners):
    """Who learns: the `learners` that are least sure, and whoever is level with them."""
    return np.array(sure) <= np.sort(sure)[learners - 1]


def g2d_total(parameters, inputs, strength, tau, reg):
    """L_BPR + L_reg + strength sum_m mean KL( sig(T_m/tau) || sig(Ds^m/tau) )."""
    found = margins(parameters, inputs)
    taught = objective.teacher_margins(inputs)["batch"]
    parts = [losses.mean(losses.kl(t, s, tau)) for t, s in zip(taught, found["uni"], strict=True)]
    return losses.bpr(found["full"]) + strength * sum(parts) + penalty(parameters, inputs, reg)


def arl_variances(uni):
    """Mean of p (1 - p) over the batch, p = sig(Ds^m); at least 1e-6."""
    p = losses.sigmoid(uni)
    return np.maximum((p * (1 - p)).mean(axis=1), 1e-6)


def arl_factors(variances, alpha):
    """n v^-alpha / sum v^-alpha."""
    inverse = np.array(variances, float) ** -alpha
    return len(inverse) * inverse / inverse.sum()


def own_loss(parameters, inputs, m):
    """L_m = mean sp(-Ds^m)."""
    return losses.bpr(margins(parameters, inputs)["uni"][m])


def least_norm(vectors):
    """Weights of the point of the convex hull nearest to zero: every face is tried."""
    best, found = np.inf, None
    gram = vectors @ vectors.T
    count = len(vectors)
    for size in range(1, count + 1):
        for face in combinations(range(count), size):
            part = gram[np.ix_(face, face)]
            # |sum a_k g_k| is least on the plane sum a = 1 where gram a is constant.
            system = np.block([[part, np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]])
            answer = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0][:size]
            if np.any(answer < 0):
                continue
            weights = np.zeros(count)
            weights[list(face)] = answer
            square = weights @ gram @ weights
            if square < best - 1e-15:
                best, found = square, weights
    return found


def pareto(vectors):
    """Weights and the integrated gradient of one group, rows being gradients."""
    count = len(vectors)
    if np.all(vectors @ vectors.T >= 0):
        return np.full(count, 1 / count), vectors.sum(axis=0)
    weights = least_norm(vectors)
    h = count * weights @ vectors
    return weights, h * np.linalg.norm(vectors.sum(axis=0)) / np.linalg.norm(h)
