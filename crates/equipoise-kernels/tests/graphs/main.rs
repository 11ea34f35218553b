//! The kernels on graphs and on tables, against plain float64 computations on random graphs.

mod activate;
mod affine;
mod attention;
mod normalise;
mod partition;
mod softmax;
mod sparse;
mod support;
