"""Training objectives of one step: the distilled student and the uni-modal teacher.

Student, Eq. (19) with the released normalisation (means instead of sums):

    L = L_BPR + L_reg + lambda_kd (1/B) sum_b sum_m w_b^m ( h_b^m + lambda_g L_GD^m )

Teacher of modality m, Eq. (9): the same L_BPR + L_reg with every other modality
silenced, L_reg included (its constant rows are regularised too).
"""

import numpy as np

import losses
import vbpr
import weights


def student_margins(parameters, inputs):
    """Margins of one step: full (B), uni and loo (nM x B), generic uni (nM x G)."""
    names = list(inputs.features)

    def of(silenced, triples):
        users, items = vbpr.forward(parameters, inputs.features, silenced)
        return vbpr.margins(users, items, triples)

    kept = [vbpr.uni(names, name) for name in names]
    return {
        "full": of([], inputs.triples),
        "uni": np.stack([of(silenced, inputs.triples) for silenced in kept]),
        "loo": np.stack([of(vbpr.loo(name), inputs.triples) for name in names]),
        "generic": np.stack([of(silenced, inputs.generic) for silenced in kept]),
    }


def teacher_margins(inputs):
    """Constant teacher margins: on the batch (nM x B) and on the generic triples."""
    tables = [inputs.teachers[name] for name in inputs.features]
    return {
        "batch": np.stack([vbpr.margins(y, z, inputs.triples) for y, z in tables]),
        "generic": np.stack([vbpr.margins(y, z, inputs.generic) for y, z in tables]),
    }


def batch_statistics(config, student, teacher):
    """delta (nM x B), gamma (nM), and the reference of the ratio per triple and mean."""
    delta = student["full"] - student["loo"]
    by_name = {"teacher": teacher["batch"], "student": student["uni"]}
    source = config.get("rho_denominator", "teacher")
    return {
        "source": source,
        "delta": delta,
        "gamma": delta.mean(axis=1),
        "T": teacher["batch"].mean(axis=1),
        "reference": by_name[source],
    }


def step_weights(config, student, teacher):
    """Weights of the step under `config["weights"]`: w (nM x B), lambda (nM), details."""
    options = config["weights"]
    found = batch_statistics(options, student, teacher)
    detail = _detail(options, found, student)
    if "w" in detail:
        detail["lambda"] = detail["w"].mean(axis=1)
    w = detail.get("w", np.tile(detail["lambda"][:, None], (1, len(student["full"]))))
    reported = {key: found[key] for key in ("delta", "gamma", "T")}
    return {**reported, **detail, "w": w}


def _detail(options, found, student):
    mode = options["mode"]
    if mode == "released":
        return weights.released(found["delta"], student["uni"])
    if mode == "sign_safe":
        return weights.sign_safe(found["delta"], student["uni"])
    scale, shape = options["weight_scale"], options["weight_shape"]
    if not options["reweight"]:
        return {"lambda": weights.uniform(len(found["gamma"]), scale)}
    if options["weight_level"] == "triple":
        return weights.triple(found["delta"], found["reference"], scale, shape, found["source"])
    mean_reference = found["reference"].mean(axis=1)
    return weights.batch(found["gamma"], mean_reference, scale, shape, found["source"])


def student_terms(parameters, inputs, config, w):
    """Every term of the student objective, and `total`, with the weights `w` held."""
    users, items = vbpr.forward(parameters, inputs.features)
    student, teacher = student_margins(parameters, inputs), teacher_margins(inputs)
    specific = losses.SPECIFIC[config["specific"]]
    per_triple = specific(teacher["batch"], student["uni"], config["tau"])
    per_generic = losses.generic(teacher["generic"], student["generic"], config["tau"])
    generic_mean = per_generic.sum(axis=1) / per_generic.shape[1]
    terms = {
        "bpr": losses.bpr(student["full"]),
        "l2": losses.l2(users, items, inputs.triples, config["reg"]),
        "specific": per_triple.sum(axis=1) / per_triple.shape[1],
        "generic": generic_mean,
        "distillation": losses.distillation(
            per_triple, generic_mean, w, config["lambda_kd"], config["lambda_g"]
        ),
    }
    terms["total"] = terms["bpr"] + terms["l2"] + terms["distillation"]
    return terms


def teacher_terms(parameters, inputs, kept, reg):
    """Terms of the objective of the teacher that keeps only modality `kept`."""
    silenced = vbpr.uni(inputs.features, kept)
    users, items = vbpr.forward(parameters, inputs.features, silenced)
    terms = {
        "bpr": losses.bpr(vbpr.margins(users, items, inputs.triples)),
        "l2": losses.l2(users, items, inputs.triples, reg),
    }
    terms["total"] = terms["bpr"] + terms["l2"]
    return terms
