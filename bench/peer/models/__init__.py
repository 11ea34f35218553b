"""One file per backbone: the whole tables of one ablation, and many ablations at once."""

from . import egogcn, grcn, mgcn, mmgcn, vbpr

BACKBONES = {
    "vbpr": vbpr.Vbpr,
    "mmgcn": mmgcn.Mmgcn,
    "grcn": grcn.Grcn,
    "egogcn": egogcn.EgoGcn,
    "mgcn": mgcn.Mgcn,
}
